#!/bin/sh
# A phone without a sound card: what it hears is what it says (aubridge), and it answers every call.
set -eu
config="$HOME/.baresip"
mkdir -p "$config"
cat > "$config/accounts" <<ACCOUNT
<sip:${SIP_USER}@${SIP_DOMAIN}>;auth_user=${SIP_USER};auth_pass=${SIP_PASSWORD};outbound="sip:${SIP_SERVER}";answermode=auto;regint=120
ACCOUNT
cat > "$config/config" <<CONFIG
sip_listen ${SIP_LISTEN}
audio_player aubridge,echo
audio_source aubridge,echo
audio_alert aubridge,alert
rtp_ports 31000-31100
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module uuid.so
module_app account.so
module_app menu.so
CONFIG
exec baresip -f "$config"
