"""The proof of an erasure looks wherever a person is named."""

from tests.project.conftest import folder, parents

NAMES = {"account_id", "person_id", "unit_id"}


def test_the_proof_of_an_erasure_reads_every_mart_that_names_a_person(manifest, models):
    """A new mart about customers is added to `marts_about_customers()` in macros/privacy.sql."""
    about_customers = {
        model["name"]
        for model in models.values()
        if folder(model).startswith("marts/")
        and not folder(model).startswith("marts/privacy")
        and any(name.endswith("customer_id") or name in NAMES for name in model["columns"])
    }
    read = {parent["name"] for parent in parents(manifest, models["fct_erasure_residues"])}
    assert len(about_customers) > 25
    assert read - {"int_identity__map", "int_identity__numbered"} == about_customers
