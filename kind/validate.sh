#!/bin/bash
# Applies every manifest that `--cluster kind` installs to the cluster of KUBECONFIG, with the API server's own validation: unknown fields and wrong
# types are refused. Nothing of it need run there.  cargo xtask control-plane kind/validate.sh
set -euo pipefail
cd "$(dirname "$0")"
kubectl=${KUBECTL:-kubectl}
apply() { "$kubectl" apply --server-side --force-conflicts --validate=strict --filename "$1" >/dev/null && echo "valid: kind/$1"; }
apply gateway-api/crds.yaml
apply istio/crds.yaml
"$kubectl" wait --for=condition=Established crd --all --timeout=60s >/dev/null
# The two gateways of the nginx dialect are never installed together; they share the class and the port.
for file in prometheus/prometheus.yaml istio/istio.yaml istio/gateways.yaml ingress-nginx/ingress-nginx.yaml; do apply "$file"; done
"$kubectl" delete namespace ingress-nginx --wait=false >/dev/null
"$kubectl" delete --namespace ingress-nginx service ingress-nginx-controller --ignore-not-found >/dev/null
apply traefik/traefik.yaml
