// Event Grid tells of a failed request "Backup now", by its own identity, straight into the app's queue: no key, no endpoint that must be up.

@description('Required. What tells this installation from others: part of every rule\'s name.')
param installation string

@description('Required. The name of the system topic; it is there already if `isGiven`.')
param topicName string

@description('Required. The subscription has this topic already. It is left as it is, and its system-assigned identity must be on.')
param isGiven bool

@description('Required. Tags of the resources.')
param tags object

@description('Required. The resource id of the app\'s storage account.')
param storageId string

@description('Required. The queue that events are put into.')
param queueName string

@description('Required. The container for events that could not be delivered.')
param deadLetterContainer string

@description('Required. The resource id of the action group of the operators.')
param operatorsId string

var storage = split(storageId, '/')
var own = { type: 'SystemAssigned' }

resource made 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (!isGiven) {
  name: topicName
  location: 'global'
  tags: tags
  identity: own
  properties: { source: subscription().id, topicType: 'Microsoft.Resources.Subscriptions' }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

module roles 'event-grid-roles.bicep' = {
  scope: resourceGroup(storage[2], storage[4])
  params: { storageName: storage[8], topicId: topic.id, principalId: topic.identity.principalId }
  dependsOn: [made]
}

resource failures 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'backup-runbooks-${installation}'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: ['Microsoft.Resources.ResourceActionFailure']
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: ['Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action']
        }
      ]
    }
    deliveryWithResourceIdentity: {
      identity: own
      destination: { endpointType: 'StorageQueue', properties: { resourceId: storageId, queueName: queueName } }
    }
    deadLetterWithResourceIdentity: {
      identity: own
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: storageId, blobContainerName: deadLetterContainer }
      }
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
  dependsOn: [roles]
}

resource undelivered 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'backup-runbooks-undelivered-${installation}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    description: 'Event Grid gave up on an event for Backup Runbooks; it lies in the container ${deadLetterContainer}.'
    severity: 1
    scopes: [topic.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'undelivered'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
          skipMetricValidation: true
        }
      ]
    }
    actions: empty(operatorsId) ? [] : [{ actionGroupId: operatorsId }]
  }
}
