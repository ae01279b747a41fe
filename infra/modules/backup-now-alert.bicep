// A request "Backup now" that Azure refused. Scheduled jobs are no requests and never appear in the activity log.

@description('Required. What tells this installation from others: part of every rule\'s name.')
param installation string

@description('Required. Tags of the resource.')
param tags object

@description('Required. The resource ids of the action groups: the app\'s, and others that are told as well.')
param actionGroupIds string[]

resource rule 'Microsoft.Insights/activityLogAlerts@2026-01-01' = {
  name: 'backup-runbooks-backup-now-${installation}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    description: 'A backup that somebody asked for could not be started.'
    scopes: [subscription().id]
    condition: {
      allOf: [
        { field: 'category', equals: 'Administrative' }
        {
          field: 'operationName'
          equals: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action'
        }
        { field: 'status', equals: 'Failed' }
      ]
    }
    actions: { actionGroups: [for id in actionGroupIds: { actionGroupId: id }] }
  }
}
