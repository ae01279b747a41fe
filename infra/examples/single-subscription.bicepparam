// One subscription: the app and the virtual machines lie in it. Two vaults send their logs into a new workspace.
using '../main.bicep'

param environmentName = 'prod'
param tickets = { target: 'jira', user: 'backup-runbooks@example.com', options: { project: 'OPS' } }
param ticketUrl = 'https://example.atlassian.net'
param ticketSecret = readEnvironmentVariable('TICKET_SECRET', '')
param alertsClientId = readEnvironmentVariable('ALERTS_CLIENT_ID', '')
param alertsObjectId = readEnvironmentVariable('ALERTS_OBJECT_ID', '')
param operatorEmails = ['backup-team@example.com']
param watched = [
  {
    id: readEnvironmentVariable('SUBSCRIPTION')
    vaults: [
      '/subscriptions/${readEnvironmentVariable('SUBSCRIPTION')}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-servers'
      '/subscriptions/${readEnvironmentVariable('SUBSCRIPTION')}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-databases'
    ]
  }
]
