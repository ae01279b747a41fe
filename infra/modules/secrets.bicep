// The app's secrets in the key vault. The app reads them through Key Vault references in its settings.

@description('Required. The name of the key vault. It is asked by Azure roles, not by access policies.')
param vaultName string

@description('Required. What the secrets\' names begin with: in a vault that others use too.')
param prefix string

@description('Required. The object id of the app\'s identity.')
param principalId string

@description('Required. Object ids of people or groups who may write secrets: whoever puts a new one there.')
param secretWriters string[]

@description('Required. What the vault is to hold. Empty: what it holds stays as it is.')
@secure()
param values { ticket: string, url: string, alerts: string, link: string }

@description('Required. Further secrets by the name of the setting that holds them: those of the targets of routes.')
@secure()
param routeSecrets { *: string }

var names = { ticket: '${prefix}ticket-secret', url: '${prefix}ticket-url', alerts: '${prefix}alerts-key', link: '${prefix}link-key' }
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7' // Key Vault Secrets Officer

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource ticket 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(values.ticket)) {
  parent: vault
  name: names.ticket
  properties: { value: values.ticket, contentType: 'text/plain' }
}

resource url 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(values.url)) {
  parent: vault
  name: names.url
  properties: { value: values.url, contentType: 'text/plain' }
}

resource alerts 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(values.alerts)) {
  parent: vault
  name: names.alerts
  properties: { value: values.alerts, contentType: 'text/plain' }
}

resource link 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(values.link)) {
  parent: vault
  name: names.link
  properties: { value: values.link, contentType: 'text/plain' }
}

resource route 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [
  for secret in items(routeSecrets): {
    parent: vault
    name: '${prefix}${toLower(replace(secret.key, '_', '-'))}'
    properties: { value: secret.value, contentType: 'text/plain' }
  }
]

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, secretsUser)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    description: 'Key Vault Secrets User'
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

@description('What the addresses of secrets begin with.')
output address string = '${vault.properties.vaultUri}secrets/${prefix}'

@description('What app settings hold: where a secret lies, without a version, so that a new one is taken up. Not the secret itself.')
output references { ticket: string, url: string, alerts: string, link: string } = {
  ticket: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${names.ticket})'
  url: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${names.url})'
  alerts: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${names.alerts})'
  link: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${names.link})'
}
