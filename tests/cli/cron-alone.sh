# Run cron on a crontab of our own where nobody else sees it: cron-alone.sh SCRATCH, in a mount namespace of its own.
# SCRATCH holds `crontab`; each mail of cron becomes a file `mail.NUMBER`. It ends when `enough` appears in SCRATCH.
set -eu
scratch=$1
mkdir "$scratch/upper" "$scratch/work"
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/spool/cron
mount -t tmpfs tmpfs /etc/cron.d
: >"$scratch/empty"
if [ -e /etc/crontab ]; then mount --bind "$scratch/empty" /etc/crontab; fi
mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$scratch/upper,workdir=$scratch/work" /usr/sbin
rm -f /usr/sbin/sendmail
printf '#!/bin/sh\ncat >"%s/unfinished.$$" && mv "%s/unfinished.$$" "%s/mail.$$"\n' \
    "$scratch" "$scratch" "$scratch" >/usr/sbin/sendmail
chmod 755 /usr/sbin/sendmail
mkdir -m 1730 /var/spool/cron/crontabs
cp "$scratch/crontab" /var/spool/cron/crontabs/root
chmod 600 /var/spool/cron/crontabs/root
: >"$scratch/ready"
cron -f &
trap 'kill $!' EXIT
while [ ! -e "$scratch/enough" ]; do sleep 0.2; done
