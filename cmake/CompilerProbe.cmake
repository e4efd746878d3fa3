# Runs a small trampolined coroutine program, refuses a compiler that fails it, and names one that is
# known to miscompile spellings users may write.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(NOTICE "asyncio: g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles some spellings around "
    "co_await; the library avoids them, guards against the ones it can see, and "
    "docs/howto/compilers.md lists them. clang 19 has none of them.")
endif()

if(CMAKE_CROSSCOMPILING OR DEFINED CACHE{ASYNCIO_PROBE_RUN})
  return()
endif()
try_run(ASYNCIO_PROBE_RUN ASYNCIO_PROBE_COMPILES
  SOURCES "${CMAKE_CURRENT_LIST_DIR}/compiler_probe.cpp"
  CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
  COMPILE_OUTPUT_VARIABLE probe_output
  RUN_OUTPUT_VARIABLE probe_output)
if(NOT ASYNCIO_PROBE_COMPILES OR NOT ASYNCIO_PROBE_RUN EQUAL 0)
  unset(ASYNCIO_PROBE_RUN CACHE)
  message(FATAL_ERROR "asyncio: ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} "
    "(${CMAKE_CXX_COMPILER}) fails the coroutine probe:\n${probe_output}")
endif()
