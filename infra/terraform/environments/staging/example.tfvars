# Example: copy it to terraform.tfvars and put your own. Nothing in here is a secret.
image_digests = {
  orders        = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  payments      = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  notifications = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  worker        = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  scheduler     = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
}
domain = {
  name            = "staging.api.cairn.example"
  zone_id         = "Z0123456789EXAMPLE"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
}
tokens = {
  issuer   = "https://login.cairn.example"
  jwks_url = "https://login.cairn.example/.well-known/jwks.json"
}
gateway_url         = "https://sandbox.gateway.example"
mail                = { from = "Cairn <orders@cairn.example>", port = 587 }
files_access_key_id = "AKIAIOSFODNN7EXAMPLE"
alarm_email         = "oncall@cairn.example"
deployers = {
  github    = { provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", repository = "OWNER/cairn" }
  role_arns = ["arn:aws:iam::123456789012:role/cairn-orders-release"]
}
