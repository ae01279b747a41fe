// Logs: a Log Analytics workspace, new or existing, and Application Insights in it, which takes Entra tokens only.

@description('Required. The name of a new workspace.')
param workspaceName string

@description('Required. The name of the Application Insights component.')
param insightsName string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. The resource id of a workspace to use instead of a new one. Empty: a new one is made.')
param existingWorkspaceId string

@description('Required. For how many days a new workspace keeps logs.')
@minValue(30)
@maxValue(730)
param retentionDays int

var isNew = empty(existingWorkspaceId)
var parts = split(isNew ? '////////' : existingWorkspaceId, '/')

resource made 'Microsoft.OperationalInsights/workspaces@2026-03-01' = if (isNew) {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource given 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = if (!isNew) {
  name: parts[8]
  scope: resourceGroup(parts[2], parts[4])
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: isNew ? made.id : existingWorkspaceId
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

@description('The resource id of the workspace.')
output workspaceId string = isNew ? made.id : existingWorkspaceId

@description('Its name.')
output name string = isNew ? made.name : parts[8]

@description('Its region: rules on its logs must lie there.')
output location string = isNew ? made!.location : given!.location

@description('Its customer id, by which it is queried.')
output customerId string = isNew ? made!.properties.customerId : given!.properties.customerId

@description('Where telemetry goes. It holds no key that is accepted: local authentication is off.')
output insightsAddress string = insights.properties.ConnectionString
