// The workbook: failures by code, cause and vault, time to ticket and to recovery, open incidents.

@description('Required. The name that is shown.')
param displayName string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resource.')
param tags object

@description('Required. The resource id of the workspace that it reads.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'backup-runbooks')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook/workbook.json')
  }
}

@description('The resource id of the workbook.')
output id string = workbook.id
