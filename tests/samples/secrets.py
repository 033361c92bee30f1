"""Sample calls of the operations on secrets."""

from pydantic import SecretStr

from callwright.contract.secrets import CreateSecret, DeleteSecret, ListSecrets, UpdateSecret

from . import whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        ListSecrets,
        tool="list_secrets",
        lists="secrets",
        sdk=[Sdk(f"{whole.P}.secrets.list")],
        phrases=["list the secrets"],
    ),
    Sample(
        CreateSecret,
        tool="create_secret",
        request={"type": "new", "name": "CRM", "value": "v"},
        makes=("secret_id", "secret_id"),
        sdk=[Sdk(f"{whole.P}.secrets.create", {"name": "CRM é", "value": "s3cr3t ü"}, ours={"type": "new"})],
        calls=[{"name": "n", "value": SecretStr("hush")}],
        phrases=["store an API key as a secret"],
    ),
    Sample(
        UpdateSecret,
        tool="update_secret",
        request={"type": "update", "name": "CRM", "value": "w"},
        sdk=[
            Sdk(
                f"{whole.P}.secrets.update",
                {"secret_id": "sec_1", "name": "CRM é", "value": "s3cr3t ü"},
                ours={"type": "update"},
            )
        ],
        calls=[{"secret_id": "secret_1", "name": "n", "value": SecretStr("hush")}],
        beside_ids={"name": "Mallory", "value": "stolen"},
        phrases=["replace the value of a secret"],
    ),
    Sample(DeleteSecret, tool="delete_secret", sdk=[Sdk(f"{whole.P}.secrets.delete", {"secret_id": "sec_1"})]),
]
