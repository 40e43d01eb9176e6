"""An endpoint as SageMaker changes it: what moto lacks, with the service's refusals.

A test says when a change ends, and how. Guardrails are for variants of the same names, and a
variant that is scaled can neither be removed nor have another type of instance.
"""

from collections.abc import Mapping
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends

from tests.cloud.service_answers import answered, refused

REGION = "us-east-1"
ARN = f"arn:aws:sagemaker:{REGION}:{DEFAULT_ACCOUNT_ID}"

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def scaled() -> Mapping[str, tuple[int, int]]:
    """The least and the most of what is scaled."""
    backend = applicationautoscaling_backends[DEFAULT_ACCOUNT_ID][REGION]
    return {
        resource: (target.min_capacity, target.max_capacity)
        for dimension in backend.targets.values()
        for resource, target in dimension.items()
    }


class Endpoints:
    """The one endpoint of an account, its configs, and what it is being changed to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.begin()

    def begin(self) -> None:
        self.pending = ""
        self._kept: list[str] = []
        self._weights: dict[str, float] = {}
        self._shadows: dict[str, list[dict[str, Any]]] = {}

    @property
    def _sagemaker(self) -> SageMakerModelBackend:
        return sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]

    # --- what a test does

    def settle(self, *, fails: bool = False) -> None:
        endpoint = self._sagemaker.endpoints[self.name]
        if not fails and self.pending and endpoint.endpoint_status == "Updating":
            before = {v["VariantName"]: v for v in endpoint.production_variants}
            config = self._sagemaker.endpoint_configs[self.pending]
            endpoint.production_variants = endpoint._process_production_variants(
                config.production_variants
            )
            for variant in endpoint.production_variants:
                old = before.get(variant["VariantName"], {})
                for kept in self._kept:
                    variant |= {k: v for k, v in old.items() if k.endswith(kept)}
            endpoint.endpoint_config_name = self.pending
        if not fails and self._weights:
            for variant in endpoint.production_variants:
                weight = self._weights[variant["VariantName"]]
                variant |= {"CurrentWeight": weight, "DesiredWeight": weight}
        self.pending, self._weights = "", {}
        endpoint.endpoint_status = "InService"

    @property
    def weights(self) -> dict[str, float]:
        """The weights of the variants that are served."""
        variants = self._sagemaker.endpoints[self.name].production_variants
        return {v["VariantName"]: v.get("CurrentWeight", 0.0) for v in variants}

    def models(self) -> dict[str, str]:
        """The model of each variant that is served, a shadow's too."""
        config = self._sagemaker.endpoints[self.name].endpoint_config_name
        return {v["VariantName"]: v["ModelName"] for v in self._variants(config)}

    # --- what the service does

    def update(self, wanted: Mapping[str, Any]) -> Any:
        endpoint = self._sagemaker.endpoints.get(wanted["EndpointName"])
        config = self._sagemaker.endpoint_configs.get(wanted["EndpointConfigName"])
        if endpoint is None:
            return refused("Could not find endpoint.")
        if endpoint.endpoint_status in (*CHANGING, "Failed"):
            return refused("Cannot update in-progress endpoint.")
        if config is None:
            return refused("Could not find endpoint configuration.")
        old = self._sagemaker.endpoint_configs.get(endpoint.endpoint_config_name)
        if old and (fault := _mismatch(old, config)):
            return refused(fault)
        names = [self._names(one) for one in (old or config, config)]
        if "DeploymentConfig" in wanted and names[0] != names[1]:
            return refused("Variant names of the new endpoint config must match the old ones.")
        guardrails = wanted.get("DeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
        canary = guardrails.get("TrafficRoutingConfiguration", {}).get("CanarySize")
        if canary and endpoint.production_variants[0]["DesiredInstanceCount"] < 2:
            return refused("CanarySize must be at most 50% of the fleet.")
        left_out = wanted.get("ExcludeRetainedVariantProperties", ())
        left_out = {entry["VariantPropertyType"] for entry in left_out}
        self._kept = [
            name.removeprefix("Desired")
            for name in ("DesiredWeight", "DesiredInstanceCount")
            if wanted.get("RetainAllVariantProperties") and name not in left_out
        ]
        endpoint.endpoint_status = "Updating"
        self.pending = wanted["EndpointConfigName"]
        return answered({"EndpointArn": endpoint.arn})

    def weigh(self, wanted: Mapping[str, Any]) -> Any:
        endpoint = self._sagemaker.endpoints[wanted["EndpointName"]]
        if endpoint.endpoint_status in (*CHANGING, "Failed"):
            return refused("Cannot update in-progress endpoint.")
        weights = {
            entry["VariantName"]: entry["DesiredWeight"]
            for entry in wanted["DesiredWeightsAndCapacities"]
        }
        if unknown := weights.keys() - {v["VariantName"] for v in endpoint.production_variants}:
            return refused(f"The variant name(s) {', '.join(unknown)} are not present.")
        endpoint.endpoint_status = "Updating"
        self._weights = weights
        return answered({"EndpointArn": endpoint.arn})

    def create_config(self, wanted: Mapping[str, Any]) -> Any:
        name = wanted["EndpointConfigName"]
        there = unless_there(self._sagemaker.endpoint_configs, name, "endpoint configuration")
        if there is None:
            self._shadows[name] = wanted.get("ShadowProductionVariants", [])
        return there

    def describe_config(self, named: Mapping[str, str]) -> Any:
        config = self._sagemaker.endpoint_configs.get(named["EndpointConfigName"])
        if config is None:
            return None
        told = {
            "EndpointConfigName": config.endpoint_config_name,
            "EndpointConfigArn": config.endpoint_config_arn,
            "ProductionVariants": config.production_variants,
            "CreationTime": config.creation_time,
        }
        if config.async_inference_config:
            told["AsyncInferenceConfig"] = config.async_inference_config
        if shadows := self._shadows.get(config.endpoint_config_name):
            told["ShadowProductionVariants"] = shadows
        return answered(told)

    def describe(self, named: Mapping[str, str]) -> Any:
        endpoint = self._sagemaker.endpoints.get(named["EndpointName"])
        if endpoint is None:
            return None
        told = endpoint.response_object
        if endpoint.endpoint_status == "Updating" and self.pending:
            told["PendingDeploymentSummary"] = {"EndpointConfigName": self.pending}
        return answered(told)

    def _names(self, config: Any) -> list[set[str]]:
        shadows = self._shadows.get(config.endpoint_config_name, [])
        return [{v["VariantName"] for v in kind} for kind in (config.production_variants, shadows)]

    def _variants(self, config: str) -> list[dict[str, Any]]:
        variants = self._sagemaker.endpoint_configs[config].production_variants
        return [*variants, *self._shadows.get(config, [])]


def unless_there(made: Mapping[str, object], name: str, what: str) -> Any:
    if name in made:
        return refused(f'Cannot create already existing {what} "{ARN}:{what}/{name}".')
    return None


def _mismatch(old: Any, new: Any) -> str:
    before, after = (
        {v["VariantName"]: v for v in config.production_variants} for config in (old, new)
    )
    if ("ServerlessConfig" in before["main"]) != ("ServerlessConfig" in after["main"]):
        return "Endpoint cannot be updated between serverless and instances."
    if bool(old.async_inference_config) != bool(new.async_inference_config):
        return "The AsyncInferenceConfig parameter cannot be removed from this endpoint."
    for resource in scaled():
        name = resource.rpartition("/")[2]
        kinds = [one.get(name, {}).get("InstanceType") for one in (before, after)]
        if kinds[0] != kinds[1]:
            return (
                f'The variant(s) "{name}" must be deregistered as scalable targets with AWS Auto'
                " Scaling before they can be removed or have their instance type updated."
            )
    return ""
