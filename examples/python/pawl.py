"""Verifies access tokens of Pawl without asking anybody, and follows which sessions end or change. Needs PyJWT."""
import json, jwt, threading, time, urllib.request

class TryRefresh(Exception): "401: the token is not accepted, or not any more; a refresh may help."
class Ended(Exception): "401: the session has ended."
class Unknown(Exception): "503: nothing is known now. The user stays logged in."

class Verifier:
    def __init__(self, core, api_key, issuer, audience, longest_silence=45):
        self.core, self.api_key, self.issuer, self.audience = core, api_key, issuer, audience
        self.longest_silence, self.heard, self.token_life = longest_silence, float("-inf"), 0
        self.keys, self.ended, self.changed = {}, {}, {}
        threading.Thread(target=self._follow, daemon=True).start()

    def verify(self, token):
        """The claims of an access token: `sub` is the user. Raises TryRefresh, Ended, Unknown."""
        if time.monotonic() - self.heard > self.longest_silence: raise Unknown("the feed is silent")
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key = self.keys[header["kid"]]
            claims = jwt.decode(token, key, [algorithm], issuer=self.issuer, audience=self.audience,
                                options={"require": ["exp", "sub", "sid", "pver"], "verify_iat": False})
            if header["typ"] != "at+jwt": raise ValueError("this is another kind of token")
        except Exception as error: raise TryRefresh(str(error)) from error
        if claims["sid"] in self.ended: raise Ended("the session has ended")
        at, version = self.changed.get(claims["sid"], (0, 0))
        age = (claims["iat"] + 1) * 1000 - at
        if age < -30_000 or (age <= 30_000 and claims["pver"] < version): raise TryRefresh("the session has changed")
        return claims

    def _get(self, path):
        request = urllib.request.Request(self.core + path, headers={"api-key": self.api_key})
        return urllib.request.urlopen(request, timeout=self.longest_silence)

    def _load_keys(self):
        self.keys = {key["kid"]: (key["alg"], jwt.PyJWK(key).key) for key in json.load(self._get("/v1/jwks"))["keys"]}
        oldest = time.time() * 1000 - self.token_life - 60_000
        self.ended, self.changed = ({handle: told for handle, told in known.items() if told[0] > oldest}
                                    for known in (self.ended, self.changed))

    def _hear(self, event, handle="", at=0, payloadVersion=0, accessTokenValidity=0, **_):
        if event == "settings": self.token_life = accessTokenValidity
        if event == "revoked": self.ended[handle] = (at,)
        if event == "changed":
            known, version = self.changed.get(handle, (0, 0))
            self.changed[handle] = max(at, known), max(payloadVersion, version if at - known <= 30_000 else 0)

    def _follow(self):
        while True:
            try:  # From one token's life ago on, each time: what comes twice does no harm.
                due, knows_all, message = 0, False, {}
                for line in self._get("/v1/revocations"):
                    name, _, value = line.decode().strip().partition(": ")
                    if value == "still here" or time.monotonic() > due: due = time.monotonic() + 15; self._load_keys()
                    if name: message[name] = value
                    elif message: self._hear(message["event"], **json.loads(message["data"])); message = {}
                    knows_all = knows_all or value == "still here"
                    if knows_all: self.heard = time.monotonic()
            except Exception: pass  # It is silent then, and whoever asks is told so.
            time.sleep(1)
