// Several subscriptions below a management group. Rights come from management-group.bicep, the alert processing rules and the vaults' logs from policy/main.bicep.
using '../main.bicep'

param environmentName = 'prod'
param tickets = {
  target: 'servicenow'
  user: 'backup.runbooks'
  options: { assignment_group: 'Backup' }
  routes: [ // the bank has a system of its own; a storm is told in the chat as well
    { when: { kind: ['storm'] }, target: 'slack_webhook', name: 'chat', url_setting: 'TICKET_URL_CHAT', also: true }
    {
      when: { subscription: [readEnvironmentVariable('SUBSCRIPTION_BANK')] }
      target: 'jira'
      name: 'bank'
      url: 'https://bank.atlassian.net'
      user: 'backup-runbooks@example.com'
      secret_setting: 'TICKET_SECRET_BANK'
      options: { project: 'BANK' }
    }
  ]
}
param ticketUrl = 'https://example.service-now.com'
param ticketSecret = readEnvironmentVariable('TICKET_SECRET', '')
param ticketRouteSecrets = json(readEnvironmentVariable('TICKET_ROUTE_SECRETS', '{}')) // {"TICKET_SECRET_BANK": "…", "TICKET_URL_CHAT": "…"}
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
