# huiliu_folder(NAME [LINK ...] [TEST_LINK ...])
#
# Makes OBJECT library huiliu_NAME_objects of every .cpp below the folder but *_test.cpp,
# *_fuzz.cpp and *_main.cpp, the INTERFACE library huiliu_NAME which hands the objects to
# executables (self-registering objects would be dropped from a static library), and the test
# executable huiliu_NAME_test of every *_test.cpp. Files are found, never listed by hand.
function(huiliu_folder NAME)
  cmake_parse_arguments(ARG "" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(needed ${ARG_LINK})
  list(TRANSFORM needed APPEND _headers REGEX "^huiliu_(domain|formats|runtime|state|operators|connectors)$")
  if(NOT sources)
    add_library(huiliu_${NAME} INTERFACE)
    add_library(huiliu_${NAME}_headers INTERFACE)
    return()
  endif()
  add_library(huiliu_${NAME}_objects OBJECT ${sources})
  target_link_libraries(huiliu_${NAME}_objects PUBLIC huiliu_settings ${needed})
  add_library(huiliu_${NAME}_headers INTERFACE)
  target_link_libraries(huiliu_${NAME}_headers INTERFACE huiliu_settings ${needed})
  add_library(huiliu_${NAME} INTERFACE)
  target_sources(huiliu_${NAME} INTERFACE $<TARGET_OBJECTS:huiliu_${NAME}_objects>)
  target_link_libraries(huiliu_${NAME} INTERFACE huiliu_settings ${ARG_LINK})
  if(tests)
    add_executable(huiliu_${NAME}_test ${tests})
    target_link_libraries(huiliu_${NAME}_test PRIVATE huiliu_${NAME} ${ARG_TEST_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
    huiliu_discover(huiliu_${NAME}_test unit)
  endif()
endfunction()

# Registers each gtest case of TARGET with ctest under LABEL.
function(huiliu_discover TARGET LABEL)
  include(GoogleTest)
  set(seconds 300)
  if(HUILIU_SANITIZE)
    set(seconds 1200)
  endif()
  gtest_discover_tests(${TARGET} DISCOVERY_MODE PRE_TEST
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES LABELS ${LABEL} TIMEOUT ${seconds}
    ENVIRONMENT TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp)
endfunction()
