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
  list(TRANSFORM needed APPEND _headers REGEX "^huiliu_[a-z]+$")
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
    # What is tested is optimised; the tests themselves compile in half the time without.
    target_compile_options(huiliu_${NAME}_test PRIVATE -O0)
    huiliu_discover(huiliu_${NAME}_test unit)
  endif()
  if(HUILIU_FUZZ)
    huiliu_fuzzers(${NAME} ${ARG_TEST_LINK})
  endif()
endfunction()

# huiliu_connector(NAME [LINK ...] [TEST_LINK ...])
#
# A folder of connectors: huiliu_folder with the option HUILIU_CONNECTOR_NAME, which leaves it out of
# the binary. What is built in is in the global property HUILIU_CONNECTORS.
function(huiliu_connector NAME)
  string(TOUPPER ${NAME} option)
  option(HUILIU_CONNECTOR_${option} "Build the connectors of connectors/${NAME}" ON)
  if(NOT HUILIU_CONNECTOR_${option})
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LINK;TEST_LINK" ${ARGN})
  huiliu_folder(${NAME} LINK huiliu_runtime huiliu_codecs ${ARG_LINK} TEST_LINK ${ARG_TEST_LINK})
  set_property(GLOBAL APPEND PROPERTY HUILIU_CONNECTORS ${NAME})
endfunction()

# Makes the libFuzzer executable huiliu_NAME_FILE of every *_fuzz.cpp in the folder.
function(huiliu_fuzzers NAME)
  file(GLOB_RECURSE fuzzers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_fuzz.cpp)
  foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(file ${fuzzer} NAME_WE)
    add_executable(huiliu_${NAME}_${file} ${fuzzer})
    target_link_libraries(huiliu_${NAME}_${file} PRIVATE huiliu_${NAME} ${ARGN})
    target_link_options(huiliu_${NAME}_${file} PRIVATE -fsanitize=fuzzer)
    set_target_properties(huiliu_${NAME}_${file} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
    add_dependencies(fuzzers huiliu_${NAME}_${file})
  endforeach()
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
