# shellcheck shell=bash disable=SC2154
# Sourced: an S3 server over a folder (Versity Gateway).

# The newest that builds with the Go of Debian 13.
s3_version=v1.2.0
s3_program=$software/versitygw-$s3_version
s3_bucket=playhead
s3_region=us-east-1
# Known to all, and good only for this server, which nothing but this machine reaches.
s3_access_key=playhead-local
s3_secret_key=playhead-local-secret

s3_port() { echo $((first_port + 31)); }

s3_install() {
  build_go "$s3_program" github.com/versity/versitygw/cmd/versitygw "$s3_version" 1.24
  command -v curl >/dev/null || install_packages curl || fail "curl is needed to create the bucket: install it"
}

s3_start() {
  mkdir -p "$data/$1/buckets" "$data/$1/attributes"
  # What S3 keeps beside an object goes to a folder of its own, as not every file system has extended attributes.
  start_process "$1" env "ROOT_ACCESS_KEY=$s3_access_key" "ROOT_SECRET_KEY=$s3_secret_key" "$s3_program" \
    --port "127.0.0.1:$(s3_port)" --region "$s3_region" --quiet posix --sidecar "$data/$1/attributes" "$data/$1/buckets"
}

# Whether the bucket is there; creates it.
s3_answers() {
  local status
  status=$(s3_bucket_request PUT) || return 1
  [ "$status" = 200 ] || [ "$status" = 409 ] || return 1
  [ "$(s3_bucket_request GET)" = 200 ]
}

s3_bucket_request() {
  local of_nothing=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' --noproxy '*' --request "$1" \
    --header "x-amz-content-sha256: $of_nothing" --aws-sigv4 "aws:amz:$s3_region:s3" \
    --user "$s3_access_key:$s3_secret_key" "http://127.0.0.1:$(s3_port)/$s3_bucket"
}

s3_wait() { wait_until "$1" 60 s3_answers; }

s3_env() {
  cat <<VARIABLES
export PLAYHEAD_TEST_S3_ENDPOINT=http://127.0.0.1:$(s3_port)
export PLAYHEAD_TEST_S3_BUCKET=$s3_bucket
export AWS_ACCESS_KEY_ID=$s3_access_key
export AWS_SECRET_ACCESS_KEY=$s3_secret_key
export AWS_REGION=$s3_region
VARIABLES
}
