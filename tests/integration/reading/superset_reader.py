"""Runs inside Superset's environment: prints, as JSON, what each chart of the dashboard answers."""

import json
import sys


def main(password: str) -> None:
    """Log in over the API, and ask each chart for its data by the question that is saved with it."""
    # Here and not above: the warehouse's own environment has no Superset, and pytest looks at every module.
    from superset.app import create_app

    application = create_app()
    # The test client is a browser without a network.
    client = application.test_client()
    token = client.post(
        "/api/v1/security/login",
        json={"username": "admin", "password": password, "provider": "db", "refresh": False},
    ).json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    def get(path: str) -> dict:
        answer = client.get(f"/api/v1{path}", headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json

    charts = get("/dashboard/keeping-customers/charts")["result"]
    found = {}
    for chart in charts:
        [answer] = get(f"/chart/{chart['id']}/data/")["result"]
        found[chart["slice_name"]] = {"error": answer.get("error"), "rows": answer["data"]}
    print("ANSWERS " + json.dumps(found, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
