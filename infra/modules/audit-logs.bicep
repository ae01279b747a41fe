// Who read or wrote the app's secrets and documents. Not who asked its queue for messages: that is the app, every few seconds.

@description('Required. The name of the key vault. Empty: it is somebody else\'s.')
param vaultName string

@description('Required. The name of the storage account.')
param storageName string

@description('Required. The resource id of the workspace.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = if (!empty(vaultName)) {
  name: vaultName
}

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = { name: 'default' }
  resource queues 'queueServices' existing = { name: 'default' }
}

// The only stable version (2016-09-01) has no category groups; Microsoft's own templates use this preview as well.
#disable-next-line use-recent-api-versions
resource ofSecrets 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(vaultName)) {
  scope: vault
  name: 'backup-runbooks'
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'audit', enabled: true }] }
}

// As above.
#disable-next-line use-recent-api-versions
resource ofBlobs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::blobs
  name: 'backup-runbooks'
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'audit', enabled: true }] }
}

// As above.
#disable-next-line use-recent-api-versions
resource ofQueues 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::queues
  name: 'backup-runbooks'
  properties: { workspaceId: workspaceId, logs: [{ category: 'StorageWrite', enabled: true }] }
}
