// A secret that is not given holds a word for that, which the app knows, unless there is one already: so a later deployment without it takes nothing away.

@description('Required. The name of the key vault.')
param vaultName string

@description('Required. The name of the secret.')
param name string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

@onlyIfNotExists()
resource secret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {
  parent: vault
  name: name
  properties: { value: 'none', contentType: 'text/plain' }
}
