// The shapes of main.bicep's parameters, in one place.

@export()
@description('A subscription whose failed backups become tickets.')
type watchedSubscription = {
  @description('Required. The id of the subscription.')
  id: string

  @description('Conditional. An existing resource group in it for the alert rules. Required unless the app itself lies in this subscription: then its own group is taken.')
  resourceGroup: string?

  @description('Optional. Resource ids of Recovery Services vaults in it: each gets a rule on its backup health, and its logs go to the workspace if collectLogs says so.')
  vaults: string[]?

  @description('Conditional. The name of the subscription\'s Event Grid system topic in that resource group. Required if the subscription has one already, since Azure allows one for each source; its system-assigned identity must be on.')
  systemTopic: string?

  @description('Optional. The logs of those vaults are sent to the workspace. Azure refuses it where another diagnostic setting, such as one that a policy made, sends them there already. Default: yes for a workspace that this deployment makes, no for one that is there already.')
  collectLogs: bool?
}

@export()
@description('Which ways of being told of a failure are set up. One failure that is told in several ways is one incident with one ticket.')
type alertSources = {
  @description('Optional. Azure Backup\'s own alerts, through an alert processing rule for each subscription. The main way. Default: true.')
  builtIn: bool?

  @description('Optional. A log search alert on AddonAzureBackupJobs: tells what the built-in alerts leave out. Needs the vaults\' logs in the workspace. Default: true.')
  logSearch: bool?

  @description('Optional. A metric alert on BackupHealthEvent for each named vault: the only source that also says that an item is healthy again. Default: true.')
  metric: bool?

  @description('Optional. An activity log alert on a failed request "Backup now" for each subscription. Default: true.')
  activityLog: bool?

  @description('Optional. The same request through Event Grid, straight into the app\'s queue. A subscription can have one system topic only: see systemTopic. Default: false.')
  eventGrid: bool?
}

@export()
@description('How the app behaves: app settings of docs/settings.md, from which `make docs` writes this type.')
type behaviour = {
  @description('Optional. When the sweep looks for failures that no alert told, and for recoveries (NCRONTAB, six fields, UTC). Default: 0 */15 * * * *.')
  sweepSchedule: string?

  @description('Optional. The language of runbooks and tickets: en or pt-BR. Default: en.')
  runbookLanguage: ('en' | 'pt-BR')?

  @description('Optional. When more incidents with one error code open in one region within the window, one storm ticket covers the further ones. Default: 20.')
  @minValue(1)
  @maxValue(100000)
  stormThreshold: int?

  @description('Optional. That window, in minutes. Default: 15.')
  @minValue(1)
  @maxValue(100000)
  stormWindowMinutes: int?

  @description('Optional. The daily test alert: quiet goes the whole way but for the post to the ticket system, ticket opens and resolves a ticket as well, off sends none. Default: quiet.')
  canary: ('off' | 'quiet' | 'ticket')?

  @description('Optional. When it is sent (NCRONTAB, six fields, UTC). Default: 0 0 6 * * *.')
  canarySchedule: string?

  @description('Optional. Where a ticket\'s severity comes from: alert (as the alert says) or risk (how long the last recovery point will do). Default: alert.')
  severityFrom: ('alert' | 'risk')?

  @description('Optional. Whose commands a ticket shows for the responder\'s own shell: bash, powershell or both; commands that run inside the VM stay, and the whole page has both. With both what only reads is in Bash. Default: both.')
  operatorShell: ('bash' | 'both' | 'powershell')?

  @description('Optional. Comma-separated names of tags, in any case: the first of them on the VM, else on its resource group, else on the vault, says whose the backup is. Default: owner,team.')
  ownerTags: string?

  @description('Optional. Whether tickets name who changed something: true, or false. Default: true.')
  showActors: bool?

  @description('Optional. Whether agents may ask the deployed app through read-only tools: off, or on (agents.md). Default: off.')
  mcpTools: ('off' | 'on')?
}
