// The app may query the workspace: Log Analytics Reader there, or a role for the few tables that it reads.

@description('Required. The name of the workspace.')
param workspaceName string

@description('Required. The object id of the app\'s identity.')
param principalId string

@description('Required. Only the tables that the app reads. Whoever deploys then needs the right to define roles in the workspace\'s resource group.')
param onlyItsTables bool

@description('Required. What tells this installation from others: part of the role\'s name.')
param installation string

var logAnalyticsReader = '73c42c96-874c-492b-b04d-ab87d138a893'
var roleName = 'Backup Runbooks Log Reader (${installation})'
// A test compares them with the code's queries. https://learn.microsoft.com/azure/azure-monitor/logs/manage-access#set-table-level-read-access
var tables = ['AddonAzureBackupJobs', 'Event', 'Heartbeat', 'InsightsMetrics', 'Syslog']

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource tableReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (onlyItsTables) {
  name: guid(resourceGroup().id, roleName)
  properties: {
    roleName: roleName
    description: 'Queries the few tables that explain a failed backup of a virtual machine.'
    type: 'CustomRole'
    permissions: [
      {
        actions: concat(
          ['Microsoft.OperationalInsights/workspaces/read', 'Microsoft.OperationalInsights/workspaces/query/read'],
          map(tables, table => 'Microsoft.OperationalInsights/workspaces/query/${table}/read')
        )
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
    assignableScopes: [resourceGroup().id]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, principalId, onlyItsTables ? roleName : logAnalyticsReader)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: onlyItsTables
      ? subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableReader.name)
      : subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logAnalyticsReader)
  }
}
