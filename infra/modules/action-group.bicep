// Who is told of alerts: the app's webhook, people by e-mail, or both. Every receiver gets the common alert schema.

@description('Required. The name of the action group.')
param name string

@description('Required. Its short name, which e-mails show.')
@maxLength(12)
param shortName string

@description('Required. Tags of the resource.')
param tags object

@description('Required. E-mail addresses.')
param emails string[]

@description('Optional. The address that alerts are posted to. Empty: no webhook.')
param webhookUrl string = ''

@description('Conditional. The client id of the app registration that the webhook is protected by. Required if it takes Entra tokens.')
param webhookClientId string = ''

@description('Conditional. The object id of that app registration. Required if the webhook takes Entra tokens.')
param webhookObjectId string = ''

@description('Conditional. The key that is appended to the address. Required if the webhook takes a key.')
@secure()
param webhookKey string = ''

var useEntra = !empty(webhookClientId)
var secureWebhook = {
  name: 'backup-runbooks'
  serviceUri: webhookUrl
  useCommonAlertSchema: true
  useAadAuth: true
  objectId: webhookObjectId
  identifierUri: 'api://${webhookClientId}'
  tenantId: tenant().tenantId
}

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: shortName
    emailReceivers: [
      for (email, index) in emails: { name: 'email-${index}', emailAddress: email, useCommonAlertSchema: true }
    ]
    webhookReceivers: empty(webhookUrl)
      ? []
      : useEntra
          ? [secureWebhook]
          : [
              {
                name: 'backup-runbooks'
                serviceUri: '${webhookUrl}?code=${uriComponent(webhookKey)}'
                useCommonAlertSchema: true
                useAadAuth: false
              }
            ]
  }
}

@description('The resource id of the action group.')
output id string = group.id
