#!/bin/sh
# The app registration that stands for the app, so that Azure Monitor's action groups post alerts with an Entra token.
# Safe to run again. Needs the Azure CLI, signed in as somebody who may create app registrations and grant app roles; they become an owner.
# https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook
set -eu
[ "${ALERTS_AUTH:-entra}" = entra ] || exit 0

name="Backup Runbooks (${AZURE_ENV_NAME:-prod})"
action_groups=461e8683-5575-4561-ac7f-899cc907d62a # AzNS AAD Webhook
role=7f1c1e60-3c1b-4b8e-9d53-0a7c3f6f2d11          # our own id for the role; it only has to stay the same
graph=$(az cloud show --query endpoints.microsoftGraphResourceId -o tsv)
graph="${graph%/}/v1.0"

app=$(az ad app list --filter "displayName eq '$name'" --query '[0].appId' -o tsv)
[ -n "$app" ] || app=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId -o tsv)
object=$(az ad app show --id "$app" --query id -o tsv)

az rest --method PATCH --url "$graph/applications/$object" --body "{
  \"identifierUris\": [\"api://$app\"],
  \"api\": {\"requestedAccessTokenVersion\": 2},
  \"appRoles\": [{\"id\": \"$role\", \"value\": \"ActionGroupsSecureWebhook\", \"displayName\": \"ActionGroupsSecureWebhook\",
    \"description\": \"May post alerts\", \"allowedMemberTypes\": [\"Application\"], \"isEnabled\": true}]}" >/dev/null

# Who deploys must own the registration, or Azure refuses the webhook.
if [ "$(az account show --query user.type -o tsv)" = user ]; then
  me=$(az ad signed-in-user show --query id -o tsv)
else
  me=$(az ad sp show --id "$(az account show --query user.name -o tsv)" --query id -o tsv)
fi
az ad app owner add --id "$app" --owner-object-id "$me"

principal() { az ad sp show --id "$1" --query id -o tsv 2>/dev/null || az ad sp create --id "$1" --query id -o tsv; }
ours=$(principal "$app")
theirs=$(principal "$action_groups")
given=$(az rest --method GET --url "$graph/servicePrincipals/$theirs/appRoleAssignments" --query "value[?resourceId=='$ours'] | [0].id" -o tsv)
[ -n "$given" ] || az rest --method POST --url "$graph/servicePrincipals/$theirs/appRoleAssignments" \
  --body "{\"principalId\": \"$theirs\", \"resourceId\": \"$ours\", \"appRoleId\": \"$role\"}" >/dev/null

if [ -n "${AZURE_ENV_NAME:-}" ] && command -v azd >/dev/null; then
  azd env set ALERTS_CLIENT_ID "$app"
  azd env set ALERTS_OBJECT_ID "$object"
fi
echo "export ALERTS_CLIENT_ID=$app ALERTS_OBJECT_ID=$object"
