// SPDX-License-Identifier: BSL-1.0
/// The server of asyncio::http: all of asyncio::web.
#pragma once

#include "asyncio/web/access_log.hpp"
#include "asyncio/web/application.hpp"
#include "asyncio/web/event_source.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/file_response.hpp"
#include "asyncio/web/handler.hpp"
#include "asyncio/web/multipart.hpp"
#include "asyncio/web/post_data.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"
#include "asyncio/web/runner.hpp"
#include "asyncio/web/session.hpp"
#include "asyncio/web/static_files.hpp"
#include "asyncio/web/storage.hpp"
#include "asyncio/web/stream_response.hpp"
#include "asyncio/web/websocket_response.hpp"
