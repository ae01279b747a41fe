// One watched subscription: the right to read it, and the ways of being told of its failures.
targetScope = 'subscription'

import { alertSources, watchedSubscription } from 'types.bicep'

@description('Required. The subscription.')
param watched watchedSubscription

@description('Required. An existing resource group in it, for the rules.')
param resourceGroupName string

@description('Required. Which ways of being told of a failure are set up.')
param sources alertSources

@description('Required. Tags of the resources.')
param tags object

@description('Required. The reader role. Empty: it is not assigned here.')
param readerRoleId string

@description('Required. The object id of the app\'s identity.')
param principalId string

@description('Required. The resource id of the workspace.')
param workspaceId string

@description('Required. The resource id of the action group that leads to the app.')
param actionGroupId string

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

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(readerRoleId)) {
  name: guid(subscription().id, principalId, readerRoleId)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRoleId)
  }
}

module builtIn 'built-in-alerts.bicep' = if (sources.?builtIn ?? true) {
  scope: resourceGroup(resourceGroupName)
  params: { tags: tags, actionGroupId: actionGroupId }
}

module backupNow 'backup-now-alert.bicep' = if (sources.?activityLog ?? true) {
  scope: resourceGroup(resourceGroupName)
  params: { tags: tags, actionGroupId: actionGroupId }
}

module eventGrid 'event-grid.bicep' = if (sources.?eventGrid ?? true) {
  scope: resourceGroup(resourceGroupName)
  params: {
    topicName: empty(givenTopic) ? 'evgt-backup-runbooks' : givenTopic
    isGiven: !empty(givenTopic)
    tags: tags
    storageId: storageId
    queueName: queueName
    deadLetterContainer: deadLetterContainer
    operatorsId: operatorsId
  }
}

module vaultLogs 'vault-logs.bicep' = [
  for vault in vaults: {
    scope: resourceGroup(split(vault, '/')[4])
    params: { vaultName: last(split(vault, '/')), workspaceId: workspaceId }
  }
]

module vaultHealth 'vault-health-alert.bicep' = [
  for vault in vaults: if (sources.?metric ?? true) {
    scope: resourceGroup(resourceGroupName)
    params: { vaultId: vault, tags: tags, actionGroupId: actionGroupId }
  }
]
