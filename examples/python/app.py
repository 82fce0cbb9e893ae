"""An API in Python whose sessions are Pawl's: WSGI, for any server that speaks it."""
import json, os
from wsgiref.simple_server import make_server
from pawl import Ended, TryRefresh, Unknown, Verifier

verifier = Verifier(
    core=os.environ["PAWL_CORE"],
    api_key=os.environ["PAWL_API_KEY"],
    issuer=os.environ["PAWL_ISSUER"],
    audience=os.environ["PAWL_AUDIENCE"],
    longest_silence=float(os.environ.get("PAWL_LONGEST_SILENCE", "45")),
)

def application(environ, start_response):
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        claims = verifier.verify(token if scheme.lower() == "bearer" else "")
        status, headers, body = "200 OK", [], {"user": claims["sub"], "role": claims.get("role")}
    except TryRefresh:
        status, headers, body = "401 Unauthorized", [("WWW-Authenticate", "Bearer")], {"code": "TRY_REFRESH"}
    except Ended:
        status, headers, body = "401 Unauthorized", [("WWW-Authenticate", "Bearer")], {"code": "UNAUTHORISED"}
    except Unknown:
        status, headers, body = "503 Service Unavailable", [("Retry-After", "1")], {"code": "UNKNOWN"}
    start_response(status, [("Content-Type", "application/json"), *headers])
    return [json.dumps(body).encode()]

if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), application).serve_forever()
