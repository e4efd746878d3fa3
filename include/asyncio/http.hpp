// SPDX-License-Identifier: BSL-1.0
/// All of asyncio::http.
#pragma once

#include "asyncio/http/client.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/http/client_options.hpp"
#include "asyncio/http/client_response.hpp"
#include "asyncio/http/client_timeout.hpp"
#include "asyncio/http/cookies.hpp"
#include "asyncio/http/errors.hpp"
#include "asyncio/http/form_data.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/http/headers.hpp"
#include "asyncio/http/json.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/http/method.hpp"
#include "asyncio/http/multi_dict.hpp"
#include "asyncio/http/percent.hpp"
#include "asyncio/http/status.hpp"
#include "asyncio/http/tracing.hpp"
#include "asyncio/http/url.hpp"
#include "asyncio/http/ws_message.hpp"
