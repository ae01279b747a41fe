// The key vault that holds the app's secrets. The app reads them through Key Vault references in its settings.

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

@description('Required. Object ids of people or groups who may write secrets: whoever puts a new one there.')
param secretWriters string[]

@description('Required. The secrets: a name, and what the vault is to hold under it. Empty: what it holds stays as it is.')
@secure()
param values { ticket: string, url: string, alerts: string }

var names = { ticket: 'ticket-secret', url: 'ticket-url', alerts: 'alerts-key' }
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

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

  resource ticket 'secrets' = if (!empty(values.ticket)) {
    name: names.ticket
    properties: { value: values.ticket, contentType: 'text/plain' }
  }

  resource url 'secrets' = if (!empty(values.url)) {
    name: names.url
    properties: { value: values.url, contentType: 'text/plain' }
  }

  resource alerts 'secrets' = if (!empty(values.alerts)) {
    name: names.alerts
    properties: { value: values.alerts, contentType: 'text/plain' }
  }
}

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in secretWriters: {
    scope: vault
    name: guid(vault.id, id, secretsOfficer)
    properties: {
      principalId: id
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
      description: 'Key Vault Secrets Officer'
    }
  }
]

@description('The resource id of the vault.')
output id string = vault.id

@description('The name of the vault.')
output name string = vault.name

@description('What app settings hold: where a secret lies, without a version, so that a new one is taken up. Not the secret itself.')
output references { ticket: string, url: string, alerts: string } = {
  ticket: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${names.ticket})'
  url: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${names.url})'
  alerts: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${names.alerts})'
}
