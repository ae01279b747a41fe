// The app's storage: its queue, table and blobs, reached by identity only. Names are the code's (handlers/records/storage.py); a test compares them.

@description('Required. The name of the storage account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resource.')
param tags object

@description('Required. Copies lie in three zones, so that one may fail.')
param isZoneRedundant bool

@description('Required. Only private endpoints and trusted Azure services reach the account. Event Grid is one of the latter.')
param isPrivate bool

var queues = ['alerts', 'alerts-poison']
var tables = ['incidents']
var packages = 'app-package'
var deadLetters = 'dead-letters'
var containers = ['alerts', 'incidents', packages, deadLetters]

// The app deletes what is over for long (docs/reliability.md). These rules only catch what it left behind, so each is later than the app's own.
// Bodies of alerts are named for their day, 2026/11/24/…; alerts/unposted/… is kept until somebody's system takes it, and no rule may match it.
var leftBehind = [
  { name: 'alert-bodies', prefix: 'alerts/2', days: 21 }
  { name: 'incident-documents', prefix: 'incidents/', days: 400 }
  { name: 'dead-letters', prefix: '${deadLetters}/', days: 30 }
]

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: isZoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled' // Disabled would shut out Event Grid as well; the rule below denies everybody else
    networkAcls: { bypass: 'AzureServices', defaultAction: isPrivate ? 'Deny' : 'Allow' }
  }

  resource blobService 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource container 'containers' = [for container in containers: { name: container }]
  }

  resource queueService 'queueServices' = {
    name: 'default'

    resource queue 'queues' = [for queue in queues: { name: queue }]
  }

  resource tableService 'tableServices' = {
    name: 'default'

    resource table 'tables' = [for table in tables: { name: table }]
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          for rule in leftBehind: {
            name: rule.name
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: [rule.prefix] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: rule.days } } }
            }
          }
        ]
      }
    }
  }
}

@description('The resource id of the account.')
output id string = account.id

@description('The name of the account.')
output name string = account.name

@description('The container that the deployed package lies in.')
output packageContainer string = packages

@description('The container for events that Event Grid could not deliver.')
output deadLetterContainer string = deadLetters

@description('The queue that alerts are put into.')
output alertQueue string = queues[0]
