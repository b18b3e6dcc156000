#!/bin/sh
# Checks this export without govdeck, with sha256sum, grep and the ssh-keygen of OpenSSH 9.1 or later:
#
# 1. every file is the one that SHA256SUMS lists;
# 2. every entry has the hash that entries.tsv says, names its card and its evidence by their hashes,
#    and follows the entry before it, where that one is here too;
# 3. every entry that says it was signed has a signature over its card, made by a key that was its
#    person's at that time, as allowed_signers says.
#
# Exits with 0 when all of it holds, with 1 when something does not, with 3 when a tool is missing.

set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")" || exit 3
for tool in sha256sum ssh-keygen grep cut tr wc; do
    command -v "$tool" >/dev/null || { echo "cannot tell: there is no $tool here" >&2; exit 3; }
done

bad=0
wrong() {
    printf 'BAD %s\n' "$1" >&2
    bad=$((bad + 1))
}

# hash_of FILE
hash_of() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

# Inside an entry a text cannot look like a member: its quotes are escaped.
# says ENTRY PART
says() {
    grep -qF -- "$2" "$1"
}

sha256sum -c SHA256SUMS >/dev/null || wrong "SHA256SUMS lists other files than these"

entries=0
followed=0
signed=0
last=0
last_hash=0000000000000000000000000000000000000000000000000000000000000000
tab=$(printf '\t')

# check_entry: reads seq, hash, prev, at, actor, approved, person, time and attestation
check_entry() {
    name=$(printf '%08d' "$seq")
    entry=entries/$name.json
    card=cards/$name.json
    [ -f "$entry" ] || { wrong "entry $seq: is missing"; return; }
    [ -f "$card" ] || { wrong "entry $seq: its card is missing"; return; }
    [ "$(hash_of "$entry")" = "$hash" ] || wrong "entry $seq: does not have the hash $hash"
    says "$entry" "\"seq\":$seq,\"state_hash\"" || wrong "entry $seq: is another entry"
    says "$entry" "\"at\":\"$at\",\"attestation\":\"$attestation\"," ||
        wrong "entry $seq: was not written at $at, or not known by $attestation"
    says "$entry" "\"card_sha256\":\"$(hash_of "$card")\"," || wrong "entry $seq: names another card"

    filed=0
    for file in evidence/"$name".* signatures/"$name".sig; do
        [ -f "$file" ] || continue
        filed=$((filed + 1))
        says "$entry" "\"sha256\":\"$(hash_of "$file")\"}" || wrong "entry $seq: does not name $file"
    done
    named=$(grep -oF '{"role":"' "$entry" | wc -l)
    [ "$filed" -eq "$named" ] || wrong "entry $seq: names $named pieces of evidence, $filed are here"

    says "$entry" "\"prev_hash\":\"$prev\"," || wrong "entry $seq: does not follow $prev"
    [ "$seq" -gt "$last" ] || wrong "entry $seq: stands after entry $last"
    if [ "$seq" -eq $((last + 1)) ]; then
        if [ "$prev" = "$last_hash" ]; then
            followed=$((followed + 1))
        else
            wrong "entry $seq: does not follow the entry before it"
        fi
    fi

    says "$entry" "\"actor\":\"$actor\"," || wrong "entry $seq: is not by $actor"
    writer=$actor
    if [ "$approved" != - ]; then
        writer=$approved
        says "$entry" "\"approved_by\":\"$approved\"," || wrong "entry $seq: was not approved by $approved"
    elif says "$entry" '"approved_by":"'; then
        wrong "entry $seq: was approved by somebody"
    fi
    [ "$person" = "$writer" ] || wrong "entry $seq: was written by $writer, not by $person"
    [ "$time" = "$(printf '%s' "$at" | cut -c 1-19 | tr -d 'T:-')Z" ] ||
        wrong "entry $seq: was written at $at, not at $time"
    check_signature
    entries=$((entries + 1))
}

check_signature() {
    signature=signatures/$name.sig
    if [ "$attestation" != signed ]; then
        [ ! -e "$signature" ] || wrong "entry $seq: has a signature and does not say so"
    elif [ ! -f "$signature" ]; then
        wrong "entry $seq: its signature is missing"
    elif said=$(ssh-keygen -Y verify -f allowed_signers -I "$person" -n govdeck -s "$signature" \
        -O verify-time="$time" <"$card" 2>&1); then
        signed=$((signed + 1))
    else
        wrong "entry $seq: its signature is not good: $said"
    fi
}

exec 3<entries.tsv 4<signers.tsv || exit 1
read -r heading <&3
read -r heading <&4
while IFS="$tab" read -r seq hash prev at action actor approved target <&3; do
    IFS="$tab" read -r signer_seq person time attestation <&4 || signer_seq=
    case $seq in
    '' | 0* | *[!0-9]*)
        wrong "entries.tsv: there is no entry $seq"
        continue
        ;;
    esac
    if [ "$signer_seq" = "$seq" ]; then
        check_entry
    else
        wrong "entry $seq: signers.tsv does not say who wrote it"
    fi
    last=$seq
    last_hash=$hash
done
read -r heading <&4 && wrong "signers.tsv: names entries that are not here"
[ "$entries" -gt 0 ] || wrong "there is no entry to check"

echo "$entries entries checked, $followed of them follow the entry before them"
if [ "$signed" -gt 0 ]; then
    echo "$signed signatures verified"
else
    echo "no signature verified: none of these entries has a good one"
fi
if [ "$bad" -gt 0 ]; then
    echo "this export does NOT verify: $bad things do not fit" >&2
    exit 1
fi
