#!/bin/sh
# Makes the keys of a device and its edge server: sh deploy/make-secrets.sh FOLDER
# Existing ones are kept. A key goes to its caller; the node that is called holds only its digest.
#   client-to-device, device-to-edge: keys
#   device-keys, edge-keys: their digests, for EDGEWRIGHT_NODE_KEYS_FILE
set -eu
folder=${1:?folder to write to}
umask 077
mkdir -p "$folder"

make_key() { # caller, node, scopes
    if test -e "$folder/$1-to-$2"; then return; fi
    key=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
    digest=$(printf %s "$key" | sha256sum | cut -d ' ' -f 1)
    printf '%s\n' "$key" > "$folder/$1-to-$2"
    printf -- '- {name: %s, sha256: "%s", scopes: [%s]}\n' "$1" "$digest" "$3" > "$folder/$2-keys"
}

make_key client device "infer, admin"
make_key device edge infer
# Containers read them as another user; the folder stays closed to others.
chmod 644 "$folder"/*
