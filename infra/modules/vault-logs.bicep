// A vault's backup logs go to the workspace, into tables of their own (Dedicated); without that they go to AzureDiagnostics.

@description('Required. The name of the Recovery Services vault.')
param vaultName string

@description('Required. The resource id of the workspace.')
param workspaceId string

resource vault 'Microsoft.RecoveryServices/vaults@2026-07-01' existing = {
  name: vaultName
}

// The only stable version (2016-09-01) knows neither these categories nor tables of their own; Microsoft's own templates use this preview as well.
#disable-next-line use-recent-api-versions
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'backup-runbooks'
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      for category in ['CoreAzureBackup', 'AddonAzureBackupJobs', 'AddonAzureBackupPolicy', 'AddonAzureBackupProtectedInstance']: {
        category: category
        enabled: true
      }
    ]
  }
}
