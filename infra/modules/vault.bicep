// The key vault that holds the app's secrets, unless there is one already. Who may do what with them: secrets.bicep.

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
    publicNetworkAccess: 'Enabled' // the rule below denies everybody but Azure Resource Manager, which writes the secrets
    networkAcls: { bypass: 'AzureServices', defaultAction: isPrivate ? 'Deny' : 'Allow' }
  }
}

@description('The resource id of the vault.')
output id string = vault.id

@description('The name of the vault.')
output name string = vault.name
