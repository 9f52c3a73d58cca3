"""The first steps: a key, a request to be registered, a first call."""

from __future__ import annotations

import json
from pathlib import Path

from offcampus_sdk.cli import settings
from offcampus_sdk.keys import Key


def init(folder: Path, base_url: str, name: str) -> str:
    """Make key, registration request and settings in a folder; says what to do next. Raises FileExistsError."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / settings.NAME
    if target.exists():
        raise FileExistsError(f"{target} exists already; nothing was changed")
    key = Key.generate()
    key.save(folder / "vendor.json")
    request = {"name": name, "role": "institution_system", "jwks": {"keys": [{**key.public_jwk(), "kid": key.id}]}}
    (folder / "registration.json").write_text(
        json.dumps(request, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    target.write_text(settings.TEXT.format(base_url=base_url, client_id="", key="vendor.json"), encoding="utf-8")
    return (
        f"made {target.name}, vendor.json (secret) and registration.json in {folder}\n"
        "next: send registration.json to the platform's operator (it holds public keys only),\n"
        f"      write the client_id you get into {target.name}, then: offcampus doctor\n"
        "下一步：将 registration.json（仅含公钥）交平台方登记，把所获 client_id 填入配置，再运行 offcampus doctor"
    )


def first_call(config: Path) -> str:
    """What the platform implements, and the institutions that this party may act for."""
    with settings.load(config).client() as client:
        found = client.capabilities.get()
        institutions = [f"  {item.id}  {item.state}  {item.name}" for item in client.institutions.list()]
    lines = [f"standard {found.spec_version}, profiles {', '.join(found.profiles)}"]
    return "\n".join([*lines, "institutions:", *(institutions or ["  none yet: file one with createInstitution"])])
