"""A relay for the tests: takes letters into a file, one JSON document a line, or does what its first word says.

Words: take | greylist | refuse | busy | slow, the folder, and with TLS the certificate's and the key's files and `tls` or
`starttls`. It prints its port, and ends when its standard input does.
"""

import asyncio
import json
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

manner, folder, *tls = sys.argv[1:]
seen = set()


class Relay:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if manner == "slow":
            await asyncio.sleep(600)
        if manner == "refuse":
            return "550 5.1.1 no such mailbox\x1b[31m here"
        if manner == "busy":
            return "421 4.3.2 come back tomorrow"
        if manner == "greylist" and address not in seen:
            seen.add(address)
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "letter": envelope.content.decode("utf-8", "replace"),
            "tls": bool(tls) and (tls[2] == "tls" or session.ssl is not None),
            "user": session.auth_data.login.decode() if session.auth_data else None,
        }
        with open(folder + "/letters", "a") as letters:
            letters.write(json.dumps(letter) + "\n")
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.password == b"canary-hunter2"
    return AuthResult(success=good, auth_data=data)


options = {}
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls[0], tls[1])
    options = {"authenticator": authenticate, "auth_required": True}
    # Where everything is secure from the first byte on, the server does not know that it is.
    options["auth_require_tls"] = tls[2] == "starttls"
    if tls[2] == "starttls":
        options |= {"tls_context": context, "require_starttls": True}


class Bound(Controller):
    def factory(self):
        return SMTP(self.handler, enable_SMTPUTF8=True, hostname="relay.test", **options)


async def main():
    loop = asyncio.get_running_loop()
    controller = Bound(Relay(), hostname="127.0.0.1", port=0)
    controller.loop = loop
    secure = context if tls and tls[2] == "tls" else None
    server = await loop.create_server(controller.factory, "127.0.0.1", 0, ssl=secure)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main())
    finally:
        import os

        os._exit(0)
