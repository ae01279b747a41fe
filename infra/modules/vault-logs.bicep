// A vault's backup logs go to the workspace, into tables of their own (Dedicated); without that they go to AzureDiagnostics.
// Azure refuses a second setting that sends one category to one workspace: so this is only for a workspace that nobody else sends to.

@description('Required. What tells this installation from others: part of every rule\'s name.')
param installation string

@description('Required. The name of the Recovery Services vault.')
param vaultName string

@description('Required. The resource id of the workspace.')
param workspaceId string

// Those of Azure's own policy (docs/deploy.md): https://learn.microsoft.com/azure/backup/azure-policy-configure-diagnostics
var categories = [
  'CoreAzureBackup'
  'AddonAzureBackupJobs'
  'AddonAzureBackupAlerts'
  'AddonAzureBackupPolicy'
  'AddonAzureBackupStorage'
  'AddonAzureBackupProtectedInstance'
]

resource vault 'Microsoft.RecoveryServices/vaults@2026-07-01' existing = {
  name: vaultName
}

// The only stable version (2016-09-01) knows neither these categories nor tables of their own; Microsoft's own templates use this preview as well.
#disable-next-line use-recent-api-versions
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'backup-runbooks-${installation}'
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      for category in categories: {
        category: category
        enabled: true
      }
    ]
  }
}
