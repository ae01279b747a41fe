// A log search alert: it fires when its query has rows, once for each combination of its dimensions.

@description('Required. The name of the rule.')
param name string

@description('Required. What it means when it fires.')
param about string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resource.')
param tags object

@description('Required. The query.')
param query string

@description('Required. The resource id of the workspace.')
param workspaceId string

@description('Required. The resource ids of action groups.')
param actionGroupIds string[]

@description('Required. 0 (critical) to 4 (verbose).')
@minValue(0)
@maxValue(4)
param severity int

@description('Required. How often the query runs, as an ISO 8601 duration.')
param every string

@description('Required. How far back it looks, as an ISO 8601 duration; at most two days.')
param window string

@description('Optional. Columns of the query by which alerts are split; the alert carries their values.')
@maxLength(6)
param dimensions string[] = []

@description('Optional. The column with the resource that the alert is about.')
param resourceIdColumn string = ''

@description('Optional. The alert is resolved by itself when the query has no more rows. No: each row is told once in each run.')
param isStateful bool = true

resource rule 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    enabled: true
    displayName: name
    description: about
    severity: severity
    scopes: [workspaceId]
    evaluationFrequency: every
    windowSize: window
    autoMitigate: isStateful
    // A table is there only after its first row, and Azure switches a rule off that has failed for a week: each query is a union with an empty table.
    // https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-troubleshoot-log
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          resourceIdColumn: empty(resourceIdColumn) ? null : resourceIdColumn
          dimensions: [for column in dimensions: { name: column, operator: 'Include', values: ['*'] }]
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: actionGroupIds }
  }
}
