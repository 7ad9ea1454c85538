#!/usr/bin/env bash
# Releases an image into a stage on AWS:   infra/aws/deploy.sh staging orders 123.dkr.ecr.eu-central-1.amazonaws.com/cairn/orders@sha256:…
# The image is copied into the stage's repository by its digest, migrations are run, then every process type gets a revision with
# the newest configuration and this image. A revision that does not get up is taken back by ECS, and this ends with 1.
# Rolling back is releasing the digest before: the same command. Needs: aws, docker with buildx, jq; credentials of the deployer.
set -euo pipefail

if [[ $# -ne 3 || ! $3 =~ @sha256:[0-9a-f]{64}$ ]]; then
  echo "usage: $0 <stage> <app> <repository>@sha256:<digest>" >&2
  exit 2
fi
stage=$1 app=$2 source=$3
digest=${source##*@}
name="cairn-$stage"
region=${AWS_REGION:-${AWS_DEFAULT_REGION:?set the region of the stage}}

say() { echo "… $stage/$app: $*"; }

# The newest revision has the newest configuration, made by Terraform; the release adds the image.
revision_with_image() {
  local definition
  definition=$(aws ecs describe-task-definition --task-definition "$1" --query taskDefinition --output json)
  jq --arg image "$image" '
    .containerDefinitions |= map(.image = $image)
    | del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy)
  ' <<<"$definition" >"$work/revision.json"
  aws ecs register-task-definition --cli-input-json "file://$work/revision.json" \
    --query taskDefinition.taskDefinitionArn --output text
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

services=$(aws ecs list-services --cluster "$name" --query 'serviceArns[]' --output text | tr '\t' '\n' | grep "/$app-" || true)
if [[ -z $services ]]; then
  echo "there is no service of $app in the cluster $name: has Terraform been applied there?" >&2
  exit 1
fi

registry="$(aws sts get-caller-identity --query Account --output text).dkr.ecr.$region.amazonaws.com"
image="$registry/$name/$app@$digest"
if ! aws ecr describe-images --repository-name "$name/$app" --image-ids "imageDigest=$digest" >/dev/null 2>&1; then
  say "copying $digest"
  aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" >/dev/null
  # A carbon copy: without --prefer-index=false a single image would be wrapped, and its digest would be another.
  docker buildx imagetools create --prefer-index=false --tag "$registry/$name/$app:${digest#sha256:}" "$source"
fi

# In the network of the first service: where the app's own tasks run.
network=$(aws ecs describe-services --cluster "$name" --services "$(head -1 <<<"$services")" \
  --query 'services[0].networkConfiguration' --output json)

say 'migrating'
task=$(aws ecs run-task --cluster "$name" --launch-type FARGATE --network-configuration "$network" \
  --task-definition "$(revision_with_image "$name-$app-one-off")" --query 'tasks[0].taskArn' --output text)
aws ecs wait tasks-stopped --cluster "$name" --tasks "$task"
code=$(aws ecs describe-tasks --cluster "$name" --tasks "$task" \
  --query "tasks[0].containers[?name=='$app'].exitCode | [0]" --output text)
if [[ $code != 0 ]]; then
  echo "the migration ended with $code: nothing was released. Its log: /cairn/$stage/$app" >&2
  exit 1
fi

declare -A released
for service in $services; do
  process=${service##*/"$app"-}
  released[$service]=$(revision_with_image "$name-$app-$process")
  say "releasing ${released[$service]##*/}"
  aws ecs update-service --cluster "$name" --service "$service" --task-definition "${released[$service]}" >/dev/null
done

# shellcheck disable=SC2086 # one argument for each
aws ecs wait services-stable --cluster "$name" --services $services

# Stable is also what was taken back: only the revision tells.
for service in $services; do
  running=$(aws ecs describe-services --cluster "$name" --services "$service" \
    --query "services[0].deployments[?status=='PRIMARY'].taskDefinition | [0]" --output text)
  if [[ $running != "${released[$service]}" ]]; then
    echo "$service was taken back to $running. Release the digest before, or mend this one." >&2
    exit 1
  fi
done
say "runs $digest"
