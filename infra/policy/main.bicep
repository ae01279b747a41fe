// For an organisation: every subscription below a management group sends its failed backups here, those to come included. Deployed once, after main.bicep.
targetScope = 'managementGroup'

metadata name = 'Backup Runbooks: policy'
metadata description = 'Failure alerts of vaults are on, their logs are collected, and an alert processing rule routes the alerts, in every subscription below a management group.'

@description('Required. The resource id of the action group that leads to the app: main.bicep\'s output ACTION_GROUP_ID.')
@minLength(1)
param actionGroupId string

@description('Optional. The resource id of the workspace that the vaults\' logs go to. Empty: logs are left alone.')
param workspaceId string = ''

@description('Optional. The name of this installation: part of every name.')
@minLength(1)
@maxLength(20)
param environmentName string = 'prod'

@description('Optional. The resource group for the rule in each subscription; made where it is missing.')
param resourceGroupName string = 'rg-backup-runbooks-rules'

@description('Optional. Azure region of that group and of the policy\'s identity.')
param location string = deployment().location

@description('Optional. Vaults with this tag are left alone: its name.')
param excludeTagName string = 'backup-runbooks'

@description('Optional. The value of that tag.')
param excludeTagValue string = 'off'

// https://learn.microsoft.com/azure/backup/azure-policy-configure-diagnostics
var logsPolicy = tenantResourceId('Microsoft.Authorization/policyDefinitions', 'c717fb0c-d118-4c43-ab3d-ece30ac81fb3')
// What Azure's own policies of this kind ask for; the identity has it, nobody else does.
var contributor = tenantResourceId('Microsoft.Authorization/roleDefinitions', 'b24988ac-6180-42a0-ab88-20f7382dd24c')
var name = 'backup-runbooks-${environmentName}'
var failureAlerts = loadJsonContent('failure-alerts-on.json')
var processingRule = loadJsonContent('processing-rule.json')
var exclusion = { excludeTagName: { value: excludeTagName }, excludeTagValue: { value: excludeTagValue } }

// Bicep has the types of policies; the offline checker of this project does not.
#disable-next-line BCP081
resource alertsOn 'Microsoft.Authorization/policyDefinitions@2025-03-01' = {
  name: 'backup-failure-alerts-${environmentName}'
  properties: {
    displayName: 'Backup Runbooks (${environmentName}): vaults alert on every failed job'
    description: 'Azure Backup\'s built-in alerts for failed jobs are on in every Recovery Services vault.'
    policyType: 'Custom'
    mode: 'Indexed'
    metadata: { category: 'Backup' }
    parameters: failureAlerts.parameters
    policyRule: failureAlerts.policyRule
  }
}

// Bicep has the types of policies; the offline checker of this project does not.
#disable-next-line BCP081
resource ruleThere 'Microsoft.Authorization/policyDefinitions@2025-03-01' = {
  name: 'backup-processing-rule-${environmentName}'
  properties: {
    displayName: 'Backup Runbooks (${environmentName}): alerts of a subscription are routed'
    description: 'An alert processing rule sends Azure Backup\'s built-in alerts of the subscription to Backup Runbooks.'
    policyType: 'Custom'
    mode: 'All'
    metadata: { category: 'Backup' }
    parameters: processingRule.parameters
    policyRule: processingRule.policyRule
  }
}

// Bicep has the types of policies; the offline checker of this project does not.
#disable-next-line BCP081
resource initiative 'Microsoft.Authorization/policySetDefinitions@2025-03-01' = {
  name: name
  properties: {
    displayName: 'Backup Runbooks (${environmentName})'
    description: 'Every failed backup below this management group reaches Backup Runbooks.'
    policyType: 'Custom'
    metadata: { category: 'Backup' }
    policyDefinitions: concat(
      [
        { policyDefinitionReferenceId: 'failureAlertsOn', policyDefinitionId: alertsOn.id, parameters: exclusion }
        {
          policyDefinitionReferenceId: 'processingRule'
          policyDefinitionId: ruleThere.id
          parameters: {
            ruleName: { value: name }
            resourceGroupName: { value: resourceGroupName }
            location: { value: location }
            actionGroupId: { value: actionGroupId }
          }
        }
      ],
      empty(workspaceId)
        ? []
        : [
            {
              policyDefinitionReferenceId: 'vaultLogs'
              policyDefinitionId: logsPolicy
              parameters: {
                logAnalytics: { value: workspaceId }
                profileName: { value: name }
                tagName: { value: excludeTagName }
                tagValue: { value: excludeTagValue }
              }
            }
          ]
    )
  }
}

// Bicep has the types of policies; the offline checker of this project does not.
#disable-next-line BCP081
resource assignment 'Microsoft.Authorization/policyAssignments@2025-03-01' = {
  name: 'brb-${environmentName}' // at most 24 characters at a management group
  location: location
  identity: { type: 'SystemAssigned' }
  properties: {
    displayName: 'Backup Runbooks (${environmentName})'
    policyDefinitionId: initiative.id
    enforcementMode: 'Default'
    nonComplianceMessages: [{ message: 'Failed backups here do not reach Backup Runbooks yet: a remediation task mends it.' }]
  }
}

resource rights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, name, contributor)
  properties: {
    principalId: assignment.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: contributor
    description: 'The policy of Backup Runbooks (${environmentName})'
  }
}

@description('The assignment: for remediation tasks of what is there already.')
output POLICY_ASSIGNMENT string = assignment.id
