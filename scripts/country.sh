#!/usr/bin/env bash
# Fetches the table of countries by IP (CC0) that the binary carries. Does nothing when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

package=@ip-location-db/geo-whois-asn-country-mmdb
version=2.3.2026061719
sum=c5f7c0e9bd6a6ccb5a2e9634764544a0d08bd0bd8788b8aedfac87bea184c652
target=playhead/assets/country.mmdb

intact() { [ -f "$target" ] && echo "$sum  $target" | sha256sum --check --status; }

if intact; then exit 0; fi
echo "Fetching the table of countries ($package $version)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" "$package@$version" >/dev/null
tar -xzf "$folder"/*.tgz -C "$folder"
mkdir -p "$(dirname "$target")"
mv "$folder/package/geo-whois-asn-country.mmdb" "$target"
intact || { echo "error: the table of countries is not the expected one; see scripts/country.sh" >&2; exit 1; }
