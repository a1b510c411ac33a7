"""`@job`: a function that workers can run, with what its parameters are and how it is run."""

import copy
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints, overload

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from linstock.jobs.context import JobContext
from linstock.messages.enqueue import DEFAULT_QUEUE, PAYLOAD_LIMIT_BYTES, Unique, WantedJob
from linstock.messages.schedule import Backoff, JobPolicy

P = ParamSpec("P")
R = TypeVar("R")

Seconds = float | timedelta
Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""The parameters of one version, as JSON has them, to those of the next."""


class BadParameters(TypeError):
    """The parameters do not fit the job."""

    def __init__(self, job_type: str, detail: str) -> None:
        super().__init__(f"{job_type}: {detail}")
        self.job_type, self.detail = job_type, detail


class PayloadTooLarge(ValueError):
    """The parameters of a job have at most 256 KiB; store them somewhere and pass where."""

    def __init__(self, job_type: str, size_bytes: int) -> None:
        super().__init__(f"{self.__doc__} {job_type}: {size_bytes} bytes")
        self.job_type, self.size_bytes = job_type, size_bytes


class Options(Struct, frozen=True, kw_only=True):
    """How a job is asked for. `unique` is a key, which may name parameters in braces (`"invoice-{number}"`), or True
    for all of them; `unique_for_s` says for how long, None: until the job has ended."""

    queue: str = DEFAULT_QUEUE
    policy: JobPolicy = JobPolicy()
    name: str = ""
    unique: str | bool = False
    unique_for_s: float | None = None


class Job(Generic[P, R]):
    """What `@job` makes of a function. Calling it runs the function, here and now."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        job_type: str,
        options: Options,
        version: int = 1,
        upcast: Mapping[int, Upcast] | None = None,
        process: bool = False,
    ) -> None:
        self.function = function
        self.job_type = job_type
        self.options = options
        self.version = version
        self.upcast = dict(upcast or {})
        self.in_process = process
        self.is_async = inspect.iscoroutinefunction(function)
        self.signature, self.context_name = _signature(function)
        self.parameters = _parameters(job_type, self.signature)
        self.__doc__ = function.__doc__
        self.__name__ = getattr(function, "__name__", job_type)
        if process and (self.is_async or self.context_name):
            raise TypeError(f"{job_type}: a job in a process of its own is a plain function without a JobContext")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<job {self.job_type}>"

    def using(self, **options: Any) -> "Job[P, R]":
        """The same job, asked for otherwise: the same words as `@job` takes, but `version`, `upcast` and `process`."""
        changed = copy.copy(self)
        changed.options = _options(self.options, options)
        return changed

    def wanted(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> WantedJob:
        """The job with these parameters. Raises BadParameters and PayloadTooLarge."""
        payload = self.encoded(args, kwargs)
        options = self.options
        return WantedJob(
            job_type=self.job_type,
            payload=Raw(payload),
            payload_version=self.version,
            queue=options.queue,
            policy=options.policy,
            name=options.name,
            unique=self._unique(payload),
        )

    def encoded(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        """The parameters as JSON, validated. Raises BadParameters and PayloadTooLarge."""
        try:
            bound = self.signature.bind(*args, **kwargs)
            plain = msgspec.to_builtins(bound.arguments)
            payload = msgspec.json.encode(msgspec.convert(plain, self.parameters))
        except (TypeError, msgspec.ValidationError, msgspec.EncodeError, ValueError) as error:
            raise BadParameters(self.job_type, str(error)) from error
        if len(payload) > PAYLOAD_LIMIT_BYTES:
            raise PayloadTooLarge(self.job_type, len(payload))
        return payload

    def arguments(self, payload: bytes | Raw, version: int) -> dict[str, Any]:
        """What the function is called with. Older versions are cast up first. Raises BadParameters."""
        try:
            if version == self.version:
                decoded = msgspec.json.decode(payload, type=self.parameters)
            else:
                decoded = msgspec.convert(self._cast_up(payload, version), self.parameters)
        except (msgspec.DecodeError, ValueError, TypeError, KeyError) as error:
            raise BadParameters(self.job_type, f"parameters of version {version}: {error}") from error
        return {field: getattr(decoded, field) for field in decoded.__struct_fields__}

    def _cast_up(self, payload: bytes | Raw, version: int) -> dict[str, Any]:
        if version > self.version:
            raise ValueError(f"this worker knows versions up to {self.version}")
        parameters: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
        for step in range(version, self.version):
            if step in self.upcast:
                parameters = self.upcast[step](parameters)
        return parameters

    def _unique(self, payload: bytes) -> Unique | None:
        wanted = self.options.unique
        if not wanted:
            return None
        parameters = msgspec.json.decode(payload, type=dict[str, Any])
        try:
            said = wanted.format_map(parameters) if isinstance(wanted, str) else _digest(payload)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise BadParameters(self.job_type, f"unique={wanted!r} names {error}, which is no parameter") from error
        return Unique(key=f"{self.job_type}:{said}", period_s=self.options.unique_for_s)


@overload
def job(function: Callable[P, R], /) -> Job[P, R]: ...


@overload
def job(
    *,
    name: str | None = None,
    version: int = 1,
    upcast: Mapping[int, Upcast] | None = None,
    process: bool = False,
    **options: Any,
) -> Callable[[Callable[P, R]], Job[P, R]]: ...


def job(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    version: int = 1,
    upcast: Mapping[int, Upcast] | None = None,
    process: bool = False,
    **options: Any,
) -> Any:
    """A function, async or plain, that workers can run.

    Its parameters need annotations that JSON can carry (what msgspec decodes); one that is annotated with JobContext is
    given it. Plain functions run in threads, with `process` in a process of their own.

    `name` is the job's type, by default the function's module and name: keep it when the function moves, jobs that wait
    are known by it. `version` counts changes of the parameters that jobs already asked for do not fit; `upcast` then
    has a function from each version to the next.

    options: `queue`; `priority` 1-10 (5); `timeout` of an attempt, in seconds (3600); `retries` (3) and either `delays`
    between them in seconds, the last repeating ((10, 30, 60)), or `backoff`; `retry_on` and `never_on`: error classes;
    `exhausted` fail | dead | hide; `title`: shown instead of the type; `unique` (a key such as "invoice-{number}", or
    True for all parameters) with `unique_for` seconds (None: until it has ended).
    """

    def made(function: Callable[..., Any]) -> Job[..., Any]:
        job_type = name or f"{_module(function)}.{function.__qualname__}".replace(".<locals>", "")
        said = _options(Options(), options)
        return Job(function, job_type=job_type, options=said, version=version, upcast=upcast, process=process)

    return made if function is None else made(function)


def _module(function: Callable[..., Any]) -> str:
    """A script that asks for its own jobs is called __main__ there; its worker imports it under its name."""
    if function.__module__ != "__main__":
        return function.__module__
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    return spec.name.removesuffix(".__main__") if spec else Path(file).stem if file else "__main__"


def _options(known: Options, given: Mapping[str, Any]) -> Options:
    policy, given = known.policy, dict(given)
    for word, field in _POLICY.items():
        if word in given:
            policy = replace(policy, **{field: _READ.get(word, _same)(given.pop(word))})
    for word, field in _OWN.items():
        if word in given:
            known = replace(known, **{field: _READ.get(word, _same)(given.pop(word))})
    if given:
        words = ", ".join((*_POLICY, *_OWN))
        raise TypeError(f"a job has no option {', '.join(given)}: there are {words}")
    return replace(known, policy=policy)


def _same(value: Any) -> Any:
    return value


def seconds(value: Seconds) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def _class_names(classes: Any) -> tuple[str, ...]:
    several = classes if isinstance(classes, tuple | list | set) else (classes,)
    return tuple(each if isinstance(each, str) else each.__name__ for each in several)


_POLICY = {
    "priority": "priority",
    "timeout": "timeout_s",
    "retries": "max_retries",
    "delays": "retry_delays_s",
    "backoff": "backoff",
    "retry_on": "retry_on",
    "never_on": "never_on",
    "exhausted": "exhausted",
}
_OWN = {"queue": "queue", "title": "name", "unique": "unique", "unique_for": "unique_for_s"}
_READ: dict[str, Callable[[Any], Any]] = {
    "timeout": lambda value: max(1, round(seconds(value))),
    "delays": lambda value: tuple(map(seconds, value)),
    "backoff": lambda value: Backoff() if value is True else value,
    "retry_on": _class_names,
    "never_on": _class_names,
    "unique_for": lambda value: None if value is None else seconds(value),
}


def _signature(function: Callable[..., Any]) -> tuple[inspect.Signature, str | None]:
    """Without the parameter that takes the context, and that one's name."""
    signature = inspect.signature(function)
    hints = get_type_hints(function)
    taken = [
        parameter.replace(annotation=hints.get(parameter.name, Any)) for parameter in signature.parameters.values()
    ]
    contexts = [parameter.name for parameter in taken if parameter.annotation is JobContext]
    if len(contexts) > 1:
        raise TypeError(f"{function.__qualname__} has more than one JobContext")
    kept = [parameter for parameter in taken if parameter.name not in contexts]
    for parameter in kept:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{function.__qualname__}: a job's parameters have names; *{parameter.name} has none")
    return signature.replace(parameters=kept), contexts[0] if contexts else None


def _parameters(job_type: str, signature: inspect.Signature) -> type[Struct]:
    fields: list[Any] = [
        (name, each.annotation)
        if each.default is inspect.Parameter.empty
        else (name, each.annotation, msgspec.field(default_factory=_always(each.default)))
        for name, each in signature.parameters.items()
    ]
    return msgspec.defstruct("Parameters", fields, kw_only=True, forbid_unknown_fields=True, module=job_type)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _digest(payload: bytes) -> str:
    return hashlib.blake2b(payload, digest_size=16).hexdigest()
