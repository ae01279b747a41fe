#!/bin/sh
# The app registration that stands for the app, so that Azure Monitor's action groups post alerts with an Entra token.
# Safe to run again. Needs the Azure CLI, signed in as somebody who may create app registrations and grant app roles; they become an owner.
# Standard output has one line, to be read by a shell: `eval "$(infra/entra.sh)"`. All else is said on standard error.
# https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook
set -eu

say() { echo "entra.sh: $*" >&2; }
refuse() { say "$*"; exit 1; }

if [ "${OPERATOR_EMAILS:-[]}" = '[]' ] && [ -z "${OPERATOR_ACTION_GROUP:-}" ]; then
  say "warning: OPERATOR_EMAILS is empty: nobody is told when alerts get lost or late."
fi
if [ "${ALERTS_AUTH:-entra}" != entra ]; then
  say "ALERTS_AUTH is ${ALERTS_AUTH}: no app registration is needed."
  exit 0
fi

name="Backup Runbooks (${AZURE_ENV_NAME:-prod})"
action_groups=461e8683-5575-4561-ac7f-899cc907d62a # AzNS AAD Webhook
reader=3d6f0a52-88b4-4c0e-9a57-1c2b7e5f4d90        # the same of the role that opens runbook pages, with PAGE_AUTH=entra
role=7f1c1e60-3c1b-4b8e-9d53-0a7c3f6f2d11          # our own id for the role; it only has to stay the same

# Where it will be made: said before anything is, and only in the tenant of the subscription that is deployed to.
tenant=$(az account show --query tenantId -o tsv) || refuse "the Azure CLI is not signed in: az login"
wanted=${AZURE_TENANT_ID:-$tenant}
if [ -n "${AZURE_SUBSCRIPTION_ID:-}" ]; then
  wanted=$(az account show --subscription "$AZURE_SUBSCRIPTION_ID" --query tenantId -o tsv) ||
    refuse "the Azure CLI does not see the subscription $AZURE_SUBSCRIPTION_ID: az login --tenant its tenant"
fi
[ "$tenant" = "$wanted" ] ||
  refuse "the Azure CLI is signed in to the tenant $tenant, the app is deployed to $wanted: az account set --subscription ${AZURE_SUBSCRIPTION_ID:-its subscription}"
say "the app registration '$name' in the tenant $tenant"

# Who deploys must own the registration, or Azure refuses the webhook.
if [ "$(az account show --query user.type -o tsv)" = user ]; then
  me=$(az ad signed-in-user show --query id -o tsv)
else
  me=$(az ad sp show --id "$(az account show --query user.name -o tsv)" --query id -o tsv)
fi

if [ -n "${ALERTS_CLIENT_ID:-}" ]; then
  app=$ALERTS_CLIENT_ID
  object=$(az ad app show --id "$app" --query id -o tsv) ||
    refuse "there is no app registration $app in this tenant: unset ALERTS_CLIENT_ID (azd env set ALERTS_CLIENT_ID '') to make one"
  say "using the one that ALERTS_CLIENT_ID names, $app"
else
  same=$(az ad app list --filter "displayName eq '$name'" --query '[].appId' -o tsv)
  case $(printf '%s\n' "$same" | grep -c .) in
    0) app=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId -o tsv)
       say "made $app" ;;
    1) app=$same
       az ad app owner list --id "$app" --query '[].id' -o tsv | grep -qixF -e "$me" ||
         refuse "$app has this name, and you do not own it: it may be somebody else's. If it is yours, set ALERTS_CLIENT_ID=$app; else choose another AZURE_ENV_NAME"
       say "using $app, which you own" ;;
    *) refuse "several have this name: set ALERTS_CLIENT_ID to the one that is meant:
$same" ;;
  esac
  object=$(az ad app show --id "$app" --query id -o tsv)
fi

graph=$(az cloud show --query endpoints.microsoftGraphResourceId -o tsv)
graph="${graph%/}/v1.0"
az rest --method PATCH --url "$graph/applications/$object" --body "{
  \"identifierUris\": [\"api://$app\"],
  \"api\": {\"requestedAccessTokenVersion\": 2},
  \"appRoles\": [{\"id\": \"$role\", \"value\": \"ActionGroupsSecureWebhook\", \"displayName\": \"ActionGroupsSecureWebhook\",
    \"description\": \"May post alerts\", \"allowedMemberTypes\": [\"Application\"], \"isEnabled\": true},
    {\"id\": \"$reader\", \"value\": \"Runbooks.Read\", \"displayName\": \"Runbooks.Read\",
    \"description\": \"May open runbook pages\", \"allowedMemberTypes\": [\"User\"], \"isEnabled\": true}]}" >/dev/null
az ad app owner add --id "$app" --owner-object-id "$me"

principal() { az ad sp show --id "$1" --query id -o tsv 2>/dev/null || az ad sp create --id "$1" --query id -o tsv; }
ours=$(principal "$app")
theirs=$(principal "$action_groups")
given=$(az rest --method GET --url "$graph/servicePrincipals/$theirs/appRoleAssignments" --query "value[?resourceId=='$ours'] | [0].id" -o tsv)
[ -n "$given" ] || az rest --method POST --url "$graph/servicePrincipals/$theirs/appRoleAssignments" \
  --body "{\"principalId\": \"$theirs\", \"resourceId\": \"$ours\", \"appRoleId\": \"$role\"}" >/dev/null

echo "export ALERTS_CLIENT_ID=$app ALERTS_OBJECT_ID=$object"
if [ -n "${AZURE_ENV_NAME:-}" ] && command -v azd >/dev/null; then
  for setting in "ALERTS_CLIENT_ID $app" "ALERTS_OBJECT_ID $object"; do
    # shellcheck disable=SC2086 # a name and its value
    azd env set $setting >&2 || say "azd has no environment '$AZURE_ENV_NAME' here: its settings are in the line above"
  done
fi
