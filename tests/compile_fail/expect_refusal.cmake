# cmake -D COMPILER= -D FILE= -D INCLUDE= -D REGEX= -P expect_refusal.cmake
# -Werror=unused-result makes a dropped [[nodiscard]] value a refusal.
execute_process(
  COMMAND ${COMPILER} -std=c++20 -fsyntax-only -Werror=unused-result -I ${INCLUDE} ${FILE}
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "${FILE} compiles, but must not")
endif()
if(NOT output MATCHES "${REGEX}")
  message(FATAL_ERROR "refused, but no message matches \"${REGEX}\":\n${output}")
endif()
