// App Service authentication in front of the app. Alerts need a token of Azure Monitor's action groups, pages a link or a sign-in; the app checks the role once more.

@description('Required. The name of the function app.')
param appName string

@description('Required. The client id of the app registration that stands for the app (infra/entra.sh makes it). Empty: authentication is off.')
param clientId string

@description('Required. Who may open runbook pages. link: the app itself looks at the link. entra: people sign in, and the app looks at their role.')
@allowed(['entra', 'link'])
param pageAuth string

// `AzNS AAD Webhook`, as which action groups call: https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook
var actionGroups = '461e8683-5575-4561-ac7f-899cc907d62a'
// Event Grid's own trigger and the tools for agents (MCP_TOOLS) have keys of their own; health tells nothing. Pages have signed links, unless
// people sign in for them; `/*` is all below a path: https://github.com/MicrosoftDocs/azure-docs/issues/86514
var open = ['/api/health', '/runtime/webhooks/eventgrid', '/runtime/webhooks/mcp']
var pages = peopleSignIn ? [] : ['/api/runbooks/*']
var peopleSignIn = pageAuth == 'entra'
var isOn = !empty(clientId)

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: isOn }
    globalValidation: {
      requireAuthentication: isOn
      unauthenticatedClientAction: !isOn ? 'AllowAnonymous' : peopleSignIn ? 'RedirectToLoginPage' : 'Return401'
      redirectToProvider: 'azureactivedirectory'
      excludedPaths: concat(open, pages)
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: isOn
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [clientId, 'api://${clientId}']
          defaultAuthorizationPolicy: { allowedApplications: concat([actionGroups], peopleSignIn ? [clientId] : []) }
        }
      }
    }
  }
}
