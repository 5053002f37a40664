"""The adapter of a ``requests`` session whose connections are ours."""

from __future__ import annotations

from typing import Any

import urllib3
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from djsms.calling.call import current
from djsms.calling.connections import WatchedHTTPConnection, WatchedHTTPSConnection

__all__ = ["WatchedAdapter"]


class WatchedHTTPPool(HTTPConnectionPool):
    @property
    def ConnectionCls(self) -> Any:  # type: ignore[override]  # noqa: N802 (urllib3's name)
        return _ours(WatchedHTTPConnection, HTTPConnectionPool.ConnectionCls)


class WatchedHTTPSPool(HTTPSConnectionPool):
    @property
    def ConnectionCls(self) -> Any:  # type: ignore[override]  # noqa: N802 (urllib3's name)
        return _ours(WatchedHTTPSConnection, HTTPSConnectionPool.ConnectionCls)


POOLS = {"http": WatchedHTTPPool, "https": WatchedHTTPSPool}


class WatchedAdapter(HTTPAdapter):
    """Sends nothing but by watched connections, and says so to the call; repeats nothing."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        if proxy.lower().startswith("socks"):
            # Its connections are those of another library.
            _unwatched()
        else:
            manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        if call := current():
            call.is_watched = True
            call.is_by_proxy = bool(select_proxy(request.url or "", kwargs.get("proxies")))
        return super().send(request, *args, **kwargs)


def _ours(ours: type, theirs: type) -> type:
    # Recorders of HTTP put their own class into the place of urllib3's.
    if issubclass(ours, theirs):
        return ours
    _unwatched()
    return theirs


def _unwatched() -> None:
    if call := current():
        call.is_watched = False
