// One watched subscription: the right to read it, and the ways of being told of its failures.
targetScope = 'subscription'

import { alertSources, watchedSubscription } from 'types.bicep'

@description('Required. The subscription.')
param watched watchedSubscription

@description('Required. An existing resource group in it, for the rules.')
param resourceGroupName string

@description('Required. What tells this installation from others: part of every rule\'s name.')
param installation string

@description('Required. Which ways of being told of a failure are set up.')
param sources alertSources

@description('Required. Tags of the resources.')
param tags object

@description('Required. The reader role is made and assigned here.')
param assignReaderRole bool

@description('Required. The logs of the named vaults are sent to the workspace, unless the subscription says otherwise.')
param collectLogs bool

@description('Required. The object id of the app\'s identity.')
param principalId string

@description('Required. The resource id of the workspace.')
param workspaceId string

@description('Required. The resource ids of the action groups: the app\'s, and others that are told as well.')
param actionGroupIds string[]

@description('Required. The resource id of the action group of the operators. Empty: there is none.')
param operatorsId string

@description('Required. The resource id of the app\'s storage account.')
param storageId string

@description('Required. The app\'s queue.')
param queueName string

@description('Required. The container for events that could not be delivered.')
param deadLetterContainer string

var vaults = watched.?vaults ?? []
var givenTopic = watched.?systemTopic ?? ''

module readerRole 'reader-role.bicep' = if (assignReaderRole) {
  params: { installation: installation, principalId: principalId }
}

module builtIn 'built-in-alerts.bicep' = if (sources.?builtIn ?? true) {
  scope: resourceGroup(resourceGroupName)
  params: { installation: installation, tags: tags, actionGroupIds: actionGroupIds }
}

module backupNow 'backup-now-alert.bicep' = if (sources.?activityLog ?? true) {
  scope: resourceGroup(resourceGroupName)
  params: { installation: installation, tags: tags, actionGroupIds: actionGroupIds }
}

module eventGrid 'event-grid.bicep' = if (sources.?eventGrid ?? false) {
  scope: resourceGroup(resourceGroupName)
  params: {
    installation: installation
    topicName: empty(givenTopic) ? 'evgt-backup-runbooks-${installation}' : givenTopic
    isGiven: !empty(givenTopic)
    tags: tags
    storageId: storageId
    queueName: queueName
    deadLetterContainer: deadLetterContainer
    operatorsId: operatorsId
  }
}

module vaultLogs 'vault-logs.bicep' = [
  for vault in vaults: if (watched.?collectLogs ?? collectLogs) {
    scope: resourceGroup(split(vault, '/')[4])
    params: { installation: installation, vaultName: last(split(vault, '/')), workspaceId: workspaceId }
  }
]

module vaultHealth 'vault-health-alert.bicep' = [
  for vault in vaults: if (sources.?metric ?? true) {
    scope: resourceGroup(resourceGroupName)
    params: { installation: installation, vaultId: vault, tags: tags, actionGroupIds: actionGroupIds }
  }
]
