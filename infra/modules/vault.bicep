// The key vault that holds the ticket system's secret. The app reads it through a Key Vault reference in its settings.

@description('Required. The name of the key vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resource.')
param tags object

@description('Required. Only private endpoints and trusted Azure services reach the vault.')
param isPrivate bool

@description('Optional. The ticket system\'s secret. Empty: what the vault holds stays as it is.')
@secure()
param ticketSecret string = ''

var secretName = 'ticket-secret'

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: 'Enabled' // the rule below denies everybody but Azure Resource Manager, which writes the secret
    networkAcls: { bypass: 'AzureServices', defaultAction: isPrivate ? 'Deny' : 'Allow' }
  }

  resource secret 'secrets' = if (!empty(ticketSecret)) {
    name: secretName
    properties: { value: ticketSecret, contentType: 'text/plain' }
  }
}

@description('The resource id of the vault.')
output id string = vault.id

@description('The name of the vault.')
output name string = vault.name

@description('What the setting TICKET_SECRET holds: where the secret lies, without a version, so that a new one is taken up. Not the secret itself.')
output ticketReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${secretName})'
