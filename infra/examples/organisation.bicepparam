// Several subscriptions below a management group. Rights come from management-group.bicep, the alert processing rules and the vaults' logs from policy/main.bicep.
using '../main.bicep'

param environmentName = 'prod'
param tickets = { target: 'servicenow', user: 'backup.runbooks', options: { assignment_group: 'Backup' } }
param ticketUrl = 'https://example.service-now.com'
param ticketSecret = readEnvironmentVariable('TICKET_SECRET', '')
param alertsClientId = readEnvironmentVariable('ALERTS_CLIENT_ID', '')
param alertsObjectId = readEnvironmentVariable('ALERTS_OBJECT_ID', '')
param workspaceId = readEnvironmentVariable('WORKSPACE_ID') // the central one, in the region of which the log rules are made
param onlyItsTables = true
param operatorActionGroupId = readEnvironmentVariable('OPERATOR_ACTION_GROUP')
param assignReaderRole = false
param sources = { builtIn: false }
param watched = [
  { id: readEnvironmentVariable('SUBSCRIPTION_SHOP'), resourceGroup: 'rg-backup-rules' }
  { id: readEnvironmentVariable('SUBSCRIPTION_BANK'), resourceGroup: 'rg-backup-rules' }
]
param lockResources = true
param tags = { owner: 'backup-team', 'cost-center': '4711' }
