// A vault's metric BackupHealthEvent: fires on events of any health but Healthy, and says so when there are no more. It carries no job and no code.

@description('Required. The resource id of the Recovery Services vault.')
param vaultId string

@description('Required. What tells this installation from others: part of every rule\'s name.')
param installation string

@description('Required. Tags of the resource.')
param tags object

@description('Required. The resource ids of the action groups: the app\'s, and others that are told as well.')
param actionGroupIds string[]

// https://learn.microsoft.com/azure/backup/metrics-overview: each item is told by itself
var each = map(['backupInstanceUrl', 'backupInstanceName', 'dataSourceURL', 'dataSourceType'], name => {
  name: name
  operator: 'Include'
  values: ['*']
})

resource rule 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'backup-runbooks-health-${last(split(vaultId, '/'))}-${uniqueString(vaultId)}-${installation}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    description: 'Backups in a vault are not healthy.'
    severity: 1
    scopes: [vaultId]
    evaluationFrequency: 'PT1H'
    windowSize: 'P1D'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'unhealthy'
          metricNamespace: 'Microsoft.RecoveryServices/vaults'
          metricName: 'BackupHealthEvent'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          skipMetricValidation: true // the metric is there only after a first backup
          dimensions: concat([{ name: 'healthStatus', operator: 'Exclude', values: ['Healthy'] }], each)
        }
      ]
    }
    actions: [for id in actionGroupIds: { actionGroupId: id }]
  }
}
