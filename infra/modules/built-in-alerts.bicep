// Azure Backup's own alerts of a subscription go to the action group. They have no rule of their own: only an alert processing rule can route them.

@description('Required. What tells this installation from others: part of every rule\'s name.')
param installation string

@description('Required. Tags of the resource.')
param tags object

@description('Required. The resource ids of the action groups: the app\'s, and others that are told as well.')
param actionGroupIds string[]

resource rule 'Microsoft.AlertsManagement/actionRules@2021-08-08' = {
  name: 'backup-runbooks-${installation}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    description: 'Sends Azure Backup\'s built-in alerts of this subscription to Backup Runbooks.'
    scopes: [subscription().id]
    conditions: [
      { field: 'TargetResourceType', operator: 'Equals', values: ['microsoft.recoveryservices/vaults'] }
      { field: 'MonitorService', operator: 'Equals', values: ['Azure Backup'] }
      { field: 'MonitorCondition', operator: 'Equals', values: ['Fired'] }
    ]
    actions: [{ actionType: 'AddActionGroups', actionGroupIds: actionGroupIds }]
  }
}
