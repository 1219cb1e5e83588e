/* An OpenXR runtime for tests: no headset, no pictures, two hands that a test moves.
 *
 * The real Khronos loader loads it, so programs under test go the whole way from their binding to a runtime. A test and
 * this library share one file, named by STUDIO_TEST_XR and mapped by both: the test writes what the headset does, the
 * runtime writes what was asked of it (`struct shared`, and `tests/devices/openxr/runtime.py`, which has to match).
 * Of OpenXR 1.0 it has what a program without pictures calls, with XR_MND_headless and XR_KHR_convert_timespec_time.
 *
 * cc -shared -fPIC -O1 -Wall -Wextra -fvisibility=hidden -o librun.so runtime.c
 */
#define _GNU_SOURCE
#define XR_USE_TIMESPEC 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <openxr/openxr.h>
#include <openxr/openxr_platform.h>

/* ---- What the loader asks first. Debian's package leaves this header out; it is in the loader's specification. ---- */

typedef struct {
    uint32_t structType, structVersion;
    size_t structSize;
    uint32_t minInterfaceVersion, maxInterfaceVersion;
    XrVersion minApiVersion, maxApiVersion;
} LoaderInfo;

typedef struct {
    uint32_t structType, structVersion;
    size_t structSize;
    uint32_t runtimeInterfaceVersion;
    XrVersion runtimeApiVersion;
    PFN_xrGetInstanceProcAddr getInstanceProcAddr;
} RuntimeRequest;

/* ---- The file that a test shares with us. ---- */

enum health { WELL, DEAD, HANGS, FLOODS };

struct hand {
    float position[3], rotation[4], trigger, squeeze, stick[2];
    uint32_t active, tracked, lower, upper, stick_click;
};

struct shared {
    uint32_t magic, generation; /* odd while the test writes */
    uint32_t wanted;            /* the XrSessionState to go to */
    uint32_t profile;           /* index into PROFILES */
    uint32_t health;            /* enum health */
    uint32_t headless, headset; /* whether we have the extension, and a headset */
    uint32_t recentred;         /* how often the play space moved */
    struct hand hands[2];
    uint32_t pulses[2];
    float strength[2];
    int64_t nanoseconds[2];
    uint32_t syncs, sessions;
};

#define MAGIC 0x53545852
static struct shared *shared; /* the file */
static struct shared now;     /* what it said at the last sync or poll */

static void look(void) {
    uint32_t generation;
    do {
        generation = __atomic_load_n(&shared->generation, __ATOMIC_ACQUIRE);
        memcpy(&now, shared, sizeof now);
    } while ((generation & 1) || generation != __atomic_load_n(&shared->generation, __ATOMIC_ACQUIRE));
}

static int map_shared(void) {
    const char *path = getenv("STUDIO_TEST_XR");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0) return 0;
    if (shared && shared != MAP_FAILED) munmap(shared, 4096); /* another test may have another file */
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return shared != MAP_FAILED && shared->magic == MAGIC;
}

/* ---- Controllers: which components the profiles of the specification have, section 6.4. ---- */

enum source { NONE, GRIP, TRIGGER, SQUEEZE, STICK, LOWER, UPPER, STICK_CLICK, HAPTIC };

static const char *const PROFILES[] = {
    "",
    "/interaction_profiles/oculus/touch_controller",
    "/interaction_profiles/valve/index_controller",
    "/interaction_profiles/khr/simple_controller",
    "/interaction_profiles/microsoft/motion_controller",
    "/interaction_profiles/htc/vive_controller",
};
enum { TOUCH = 1, INDEX, SIMPLE, MOTION, VIVE, PROFILE_COUNT };

static const struct component {
    int profile;
    const char *path; /* after the hand; with one hand only, the hand is part of it */
    enum source source;
    XrActionType type;
} COMPONENTS[] = {
    {0, "/input/grip/pose", GRIP, XR_ACTION_TYPE_POSE_INPUT}, /* profile 0: all of them */
    {0, "/output/haptic", HAPTIC, XR_ACTION_TYPE_VIBRATION_OUTPUT},
    {TOUCH, "/input/trigger/value", TRIGGER, XR_ACTION_TYPE_FLOAT_INPUT},
    {TOUCH, "/input/squeeze/value", SQUEEZE, XR_ACTION_TYPE_FLOAT_INPUT},
    {TOUCH, "/input/thumbstick", STICK, XR_ACTION_TYPE_VECTOR2F_INPUT},
    {TOUCH, "/input/thumbstick/click", STICK_CLICK, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {TOUCH, "/user/hand/left/input/x/click", LOWER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {TOUCH, "/user/hand/left/input/y/click", UPPER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {TOUCH, "/user/hand/right/input/a/click", LOWER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {TOUCH, "/user/hand/right/input/b/click", UPPER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {INDEX, "/input/trigger/value", TRIGGER, XR_ACTION_TYPE_FLOAT_INPUT},
    {INDEX, "/input/squeeze/value", SQUEEZE, XR_ACTION_TYPE_FLOAT_INPUT},
    {INDEX, "/input/thumbstick", STICK, XR_ACTION_TYPE_VECTOR2F_INPUT},
    {INDEX, "/input/thumbstick/click", STICK_CLICK, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {INDEX, "/input/a/click", LOWER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {INDEX, "/input/b/click", UPPER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {SIMPLE, "/input/select/click", SQUEEZE, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {SIMPLE, "/input/menu/click", TRIGGER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {MOTION, "/input/trigger/value", TRIGGER, XR_ACTION_TYPE_FLOAT_INPUT},
    {MOTION, "/input/squeeze/click", SQUEEZE, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {MOTION, "/input/thumbstick", STICK, XR_ACTION_TYPE_VECTOR2F_INPUT},
    {MOTION, "/input/thumbstick/click", STICK_CLICK, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {MOTION, "/input/menu/click", LOWER, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {VIVE, "/input/trigger/value", TRIGGER, XR_ACTION_TYPE_FLOAT_INPUT},
    {VIVE, "/input/squeeze/click", SQUEEZE, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {VIVE, "/input/trackpad/click", STICK_CLICK, XR_ACTION_TYPE_BOOLEAN_INPUT},
    {VIVE, "/input/menu/click", LOWER, XR_ACTION_TYPE_BOOLEAN_INPUT},
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Objects. A handle is its kind and a number, so that one of another kind is noticed. ---- */

enum kind { INSTANCE = 1, SESSION, ACTION_SET, ACTION, SPACE };
#define HANDLE(kind, index) ((uint64_t)(kind) << 56 | ((uint64_t)(index) + 1))
#define INDEX_OF(handle) ((int)((uint64_t)(handle) & 0xffffff) - 1)
#define REQUIRE(handle, kind) \
    do { if ((int)((uint64_t)(handle) >> 56) != (kind)) return XR_ERROR_HANDLE_INVALID; } while (0)
#define REQUIRE_TYPE(pointer, wanted) \
    do { if (!(pointer) || (pointer)->type != (wanted)) return XR_ERROR_VALIDATION_FAILURE; } while (0)

enum { MOST = 64, MOST_PATHS = 512 };
static struct action { XrActionType type; enum source bound[PROFILE_COUNT][2]; char name[64]; } actions[MOST];
static struct space { int action, hand; XrReferenceSpaceType reference; } spaces[MOST];
static char *paths[MOST_PATHS];
static int action_count, space_count, path_count;
static int has_instance, has_session, running, attached, headless_on, timespec_on;
static XrSessionState state;
static XrSessionState queue[16];
static unsigned queue_head, queue_tail;
static uint32_t told_recentred, told_profile;

static XrResult healthy(XrResult lost) {
    look();
    if (now.health == HANGS) for (;;) pause();
    return now.health == DEAD ? lost : XR_SUCCESS;
}
#define REQUIRE_HEALTH(lost) \
    do { XrResult sick = healthy(lost); if (sick != XR_SUCCESS) return sick; } while (0)
#define REQUIRE_SESSION(session) \
    do { REQUIRE(session, SESSION); if (!has_session) return XR_ERROR_HANDLE_INVALID; \
         REQUIRE_HEALTH(XR_ERROR_SESSION_LOST); } while (0)

static void enter(XrSessionState next) { state = next; queue[queue_tail++ % COUNT(queue)] = next; }
static const char *text_of(XrPath path) { return path >= 1 && path <= (XrPath)path_count ? paths[path - 1] : NULL; }

static XrPath path_of(const char *text) {
    for (int k = 0; k < path_count; k++) if (!strcmp(paths[k], text)) return k + 1;
    if (path_count == MOST_PATHS) return XR_NULL_PATH;
    paths[path_count++] = strdup(text);
    return path_count;
}

static int hand_of(const char *text) {
    if (text && !strncmp(text, "/user/hand/left", 15)) return 0;
    if (text && !strncmp(text, "/user/hand/right", 16)) return 1;
    return -1;
}

#define CALL static XRAPI_ATTR XrResult XRAPI_CALL

/* ---- Instance and system. ---- */

CALL enumerate_extensions(const char *layer, uint32_t room, uint32_t *count, XrExtensionProperties *found) {
    (void)layer;
    if (!map_shared()) return XR_ERROR_RUNTIME_UNAVAILABLE;
    REQUIRE_HEALTH(XR_ERROR_RUNTIME_FAILURE);
    const char *names[] = {XR_KHR_CONVERT_TIMESPEC_TIME_EXTENSION_NAME, XR_MND_HEADLESS_EXTENSION_NAME};
    *count = now.headless ? 2 : 1;
    if (!room) return XR_SUCCESS;
    if (room < *count) return XR_ERROR_SIZE_INSUFFICIENT;
    for (uint32_t k = 0; k < *count; k++) {
        REQUIRE_TYPE(&found[k], XR_TYPE_EXTENSION_PROPERTIES);
        strcpy(found[k].extensionName, names[k]);
        found[k].extensionVersion = 2;
    }
    return XR_SUCCESS;
}

CALL create_instance(const XrInstanceCreateInfo *info, XrInstance *made) {
    REQUIRE_TYPE(info, XR_TYPE_INSTANCE_CREATE_INFO);
    if (has_instance) return XR_ERROR_LIMIT_REACHED;
    if (!map_shared()) return XR_ERROR_RUNTIME_UNAVAILABLE;
    REQUIRE_HEALTH(XR_ERROR_RUNTIME_FAILURE);
    if (XR_VERSION_MINOR(info->applicationInfo.apiVersion) > 0) return XR_ERROR_API_VERSION_UNSUPPORTED;
    if (!info->applicationInfo.applicationName[0]) return XR_ERROR_NAME_INVALID;
    headless_on = timespec_on = 0;
    for (uint32_t k = 0; k < info->enabledExtensionCount; k++) {
        const char *name = info->enabledExtensionNames[k];
        if (now.headless && !strcmp(name, XR_MND_HEADLESS_EXTENSION_NAME)) headless_on = 1;
        else if (!strcmp(name, XR_KHR_CONVERT_TIMESPEC_TIME_EXTENSION_NAME)) timespec_on = 1;
        else return XR_ERROR_EXTENSION_NOT_PRESENT;
    }
    fprintf(stderr, "The test runtime speaks, as runtimes do.\n");
    has_instance = 1;
    action_count = space_count = 0;
    queue_head = queue_tail = 0;
    told_recentred = now.recentred;
    told_profile = 0;
    *made = (XrInstance)HANDLE(INSTANCE, 0);
    return XR_SUCCESS;
}

CALL destroy_instance(XrInstance instance) {
    REQUIRE(instance, INSTANCE);
    has_instance = has_session = running = attached = 0;
    return XR_SUCCESS;
}

CALL get_instance_properties(XrInstance instance, XrInstanceProperties *facts) {
    REQUIRE(instance, INSTANCE);
    REQUIRE_TYPE(facts, XR_TYPE_INSTANCE_PROPERTIES);
    facts->runtimeVersion = XR_MAKE_VERSION(1, 2, 3);
    strcpy(facts->runtimeName, "Test runtime");
    return XR_SUCCESS;
}

CALL get_system(XrInstance instance, const XrSystemGetInfo *info, XrSystemId *found) {
    REQUIRE(instance, INSTANCE);
    REQUIRE_TYPE(info, XR_TYPE_SYSTEM_GET_INFO);
    if (info->formFactor != XR_FORM_FACTOR_HEAD_MOUNTED_DISPLAY) return XR_ERROR_FORM_FACTOR_UNSUPPORTED;
    if (!now.headset) return XR_ERROR_FORM_FACTOR_UNAVAILABLE;
    *found = 1;
    return XR_SUCCESS;
}

CALL string_to_path(XrInstance instance, const char *text, XrPath *found) {
    REQUIRE(instance, INSTANCE);
    size_t length = strlen(text);
    if (text[0] != '/' || length >= XR_MAX_PATH_LENGTH || text[length - 1] == '/') return XR_ERROR_PATH_FORMAT_INVALID;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789/_-.") != length) return XR_ERROR_PATH_FORMAT_INVALID;
    *found = path_of(text);
    return *found ? XR_SUCCESS : XR_ERROR_PATH_COUNT_EXCEEDED;
}

CALL path_to_string(XrInstance instance, XrPath path, uint32_t room, uint32_t *count, char *found) {
    REQUIRE(instance, INSTANCE);
    const char *text = text_of(path);
    if (!text) return XR_ERROR_PATH_INVALID;
    *count = (uint32_t)strlen(text) + 1;
    if (!room) return XR_SUCCESS;
    if (room < *count) return XR_ERROR_SIZE_INSUFFICIENT;
    strcpy(found, text);
    return XR_SUCCESS;
}

/* One legal step towards the state that the test wants. */
static void walk(void) {
    XrSessionState wanted = (XrSessionState)now.wanted;
    if (wanted == XR_SESSION_STATE_LOSS_PENDING) {
        if (state != XR_SESSION_STATE_LOSS_PENDING) enter(wanted);
    } else if (!running) {
        if (state == XR_SESSION_STATE_IDLE && wanted >= XR_SESSION_STATE_READY && wanted <= XR_SESSION_STATE_FOCUSED)
            enter(XR_SESSION_STATE_READY);
    } else if (state == XR_SESSION_STATE_FOCUSED && wanted != XR_SESSION_STATE_FOCUSED) {
        enter(XR_SESSION_STATE_VISIBLE);
    } else if (state == XR_SESSION_STATE_VISIBLE && wanted != XR_SESSION_STATE_VISIBLE) {
        enter(wanted == XR_SESSION_STATE_FOCUSED ? wanted : XR_SESSION_STATE_SYNCHRONIZED);
    } else if (state == XR_SESSION_STATE_SYNCHRONIZED) {
        if (wanted == XR_SESSION_STATE_VISIBLE || wanted == XR_SESSION_STATE_FOCUSED) enter(XR_SESSION_STATE_VISIBLE);
        if (wanted == XR_SESSION_STATE_STOPPING) enter(wanted);
    }
}

CALL poll_event(XrInstance instance, XrEventDataBuffer *event) {
    REQUIRE(instance, INSTANCE);
    REQUIRE_TYPE(event, XR_TYPE_EVENT_DATA_BUFFER);
    REQUIRE_HEALTH(XR_ERROR_INSTANCE_LOST);
    if (!has_session) return XR_EVENT_UNAVAILABLE;
    if (queue_head == queue_tail) walk();
    if (now.health == FLOODS) told_profile = ~now.profile; /* an event for every question */
    XrSession session = (XrSession)HANDLE(SESSION, 0);
    if (queue_head != queue_tail) {
        XrEventDataSessionStateChanged changed = {XR_TYPE_EVENT_DATA_SESSION_STATE_CHANGED, NULL, session,
                                                  queue[queue_head++ % COUNT(queue)], 1};
        memcpy(event, &changed, sizeof changed);
    } else if (attached && told_profile != now.profile) {
        told_profile = now.profile;
        XrEventDataInteractionProfileChanged changed = {XR_TYPE_EVENT_DATA_INTERACTION_PROFILE_CHANGED, NULL, session};
        memcpy(event, &changed, sizeof changed);
    } else if (told_recentred != now.recentred) {
        told_recentred = now.recentred;
        XrEventDataReferenceSpaceChangePending moved = {XR_TYPE_EVENT_DATA_REFERENCE_SPACE_CHANGE_PENDING, NULL, session,
                                                        XR_REFERENCE_SPACE_TYPE_STAGE, 1, XR_FALSE,
                                                        {{0, 0, 0, 1}, {0, 0, 0}}};
        memcpy(event, &moved, sizeof moved);
    } else {
        return XR_EVENT_UNAVAILABLE;
    }
    return XR_SUCCESS;
}

/* ---- Session. ---- */

CALL create_session(XrInstance instance, const XrSessionCreateInfo *info, XrSession *made) {
    REQUIRE(instance, INSTANCE);
    REQUIRE_TYPE(info, XR_TYPE_SESSION_CREATE_INFO);
    if (info->systemId != 1) return XR_ERROR_SYSTEM_INVALID;
    if (has_session) return XR_ERROR_LIMIT_REACHED;
    if (!headless_on) return XR_ERROR_GRAPHICS_DEVICE_INVALID;
    has_session = 1;
    running = attached = 0;
    shared->sessions++;
    enter(XR_SESSION_STATE_IDLE);
    *made = (XrSession)HANDLE(SESSION, 0);
    return XR_SUCCESS;
}

CALL destroy_session(XrSession session) {
    REQUIRE_SESSION(session);
    has_session = running = attached = 0;
    return XR_SUCCESS;
}

CALL begin_session(XrSession session, const XrSessionBeginInfo *info) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(info, XR_TYPE_SESSION_BEGIN_INFO);
    if (running) return XR_ERROR_SESSION_RUNNING;
    if (state != XR_SESSION_STATE_READY) return XR_ERROR_SESSION_NOT_READY;
    running = 1;
    enter(XR_SESSION_STATE_SYNCHRONIZED);
    return XR_SUCCESS;
}

CALL end_session(XrSession session) {
    REQUIRE_SESSION(session);
    if (!running) return XR_ERROR_SESSION_NOT_RUNNING;
    if (state != XR_SESSION_STATE_STOPPING) return XR_ERROR_SESSION_NOT_STOPPING;
    running = 0;
    enter(XR_SESSION_STATE_IDLE);
    enter(XR_SESSION_STATE_EXITING);
    return XR_SUCCESS;
}

CALL request_exit_session(XrSession session) {
    REQUIRE_SESSION(session);
    if (!running) return XR_ERROR_SESSION_NOT_RUNNING;
    if (state == XR_SESSION_STATE_FOCUSED) enter(XR_SESSION_STATE_VISIBLE);
    if (state == XR_SESSION_STATE_VISIBLE) enter(XR_SESSION_STATE_SYNCHRONIZED);
    enter(XR_SESSION_STATE_STOPPING);
    return XR_SUCCESS;
}

/* ---- Spaces. ---- */

CALL enumerate_reference_spaces(XrSession session, uint32_t room, uint32_t *count, XrReferenceSpaceType *found) {
    REQUIRE_SESSION(session);
    const XrReferenceSpaceType known[] = {XR_REFERENCE_SPACE_TYPE_VIEW, XR_REFERENCE_SPACE_TYPE_LOCAL,
                                          XR_REFERENCE_SPACE_TYPE_STAGE};
    *count = COUNT(known);
    if (!room) return XR_SUCCESS;
    if (room < *count) return XR_ERROR_SIZE_INSUFFICIENT;
    memcpy(found, known, sizeof known);
    return XR_SUCCESS;
}

static XrResult add_space(struct space space, XrSpace *made) {
    if (space_count == MOST) return XR_ERROR_LIMIT_REACHED;
    spaces[space_count] = space;
    *made = (XrSpace)HANDLE(SPACE, space_count++);
    return XR_SUCCESS;
}

CALL create_reference_space(XrSession session, const XrReferenceSpaceCreateInfo *info, XrSpace *made) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(info, XR_TYPE_REFERENCE_SPACE_CREATE_INFO);
    return add_space((struct space){-1, -1, info->referenceSpaceType}, made);
}

CALL create_action_space(XrSession session, const XrActionSpaceCreateInfo *info, XrSpace *made) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(info, XR_TYPE_ACTION_SPACE_CREATE_INFO);
    REQUIRE(info->action, ACTION);
    int action = INDEX_OF(info->action), hand = hand_of(text_of(info->subactionPath));
    if (actions[action].type != XR_ACTION_TYPE_POSE_INPUT) return XR_ERROR_ACTION_TYPE_MISMATCH;
    if (hand < 0) return XR_ERROR_PATH_UNSUPPORTED;
    return add_space((struct space){action, hand, 0}, made);
}

CALL destroy_space(XrSpace space) {
    REQUIRE(space, SPACE);
    return XR_SUCCESS;
}

static enum source bound(int action, int hand) {
    return attached && now.profile < PROFILE_COUNT ? actions[action].bound[now.profile][hand] : NONE;
}

static int has_hand(int hand) { return state == XR_SESSION_STATE_FOCUSED && now.hands[hand].active; }

CALL locate_space(XrSpace space, XrSpace base, XrTime at, XrSpaceLocation *found) {
    REQUIRE(space, SPACE);
    REQUIRE(base, SPACE);
    REQUIRE_TYPE(found, XR_TYPE_SPACE_LOCATION);
    if (at <= 0) return XR_ERROR_TIME_INVALID;
    const struct space *asked = &spaces[INDEX_OF(space)];
    found->locationFlags = 0;
    found->pose = (XrPosef){{0, 0, 0, 1}, {0, 0, 0}};
    if (asked->action < 0 || !has_hand(asked->hand) || bound(asked->action, asked->hand) != GRIP) return XR_SUCCESS;
    const struct hand *hand = &now.hands[asked->hand];
    memcpy(&found->pose.orientation, hand->rotation, sizeof hand->rotation);
    memcpy(&found->pose.position, hand->position, sizeof hand->position);
    found->locationFlags = XR_SPACE_LOCATION_ORIENTATION_VALID_BIT | XR_SPACE_LOCATION_POSITION_VALID_BIT;
    if (hand->tracked)
        found->locationFlags |= XR_SPACE_LOCATION_ORIENTATION_TRACKED_BIT | XR_SPACE_LOCATION_POSITION_TRACKED_BIT;
    return XR_SUCCESS;
}

/* ---- Actions. ---- */

CALL create_action_set(XrInstance instance, const XrActionSetCreateInfo *info, XrActionSet *made) {
    REQUIRE(instance, INSTANCE);
    REQUIRE_TYPE(info, XR_TYPE_ACTION_SET_CREATE_INFO);
    if (!info->actionSetName[0]) return XR_ERROR_NAME_INVALID;
    if (!info->localizedActionSetName[0]) return XR_ERROR_LOCALIZED_NAME_INVALID;
    *made = (XrActionSet)HANDLE(ACTION_SET, 0);
    return XR_SUCCESS;
}

CALL create_action(XrActionSet set, const XrActionCreateInfo *info, XrAction *made) {
    REQUIRE(set, ACTION_SET);
    REQUIRE_TYPE(info, XR_TYPE_ACTION_CREATE_INFO);
    if (attached) return XR_ERROR_ACTIONSETS_ALREADY_ATTACHED;
    if (action_count == MOST) return XR_ERROR_LIMIT_REACHED;
    for (int k = 0; k < action_count; k++)
        if (!strcmp(actions[k].name, info->actionName)) return XR_ERROR_NAME_DUPLICATED;
    struct action *action = &actions[action_count];
    memset(action, 0, sizeof *action);
    action->type = info->actionType;
    strcpy(action->name, info->actionName);
    *made = (XrAction)HANDLE(ACTION, action_count++);
    return XR_SUCCESS;
}

/* A boolean component may feed a float action, as the specification's section 11.4 has it; nothing else is converted. */
static int fits(XrActionType action, XrActionType component) {
    return action == component || (action == XR_ACTION_TYPE_FLOAT_INPUT && component == XR_ACTION_TYPE_BOOLEAN_INPUT);
}

CALL suggest_bindings(XrInstance instance, const XrInteractionProfileSuggestedBinding *info) {
    REQUIRE(instance, INSTANCE);
    REQUIRE_TYPE(info, XR_TYPE_INTERACTION_PROFILE_SUGGESTED_BINDING);
    if (attached) return XR_ERROR_ACTIONSETS_ALREADY_ATTACHED;
    const char *name = text_of(info->interactionProfile);
    int profile = 1;
    while (profile < PROFILE_COUNT && name && strcmp(PROFILES[profile], name)) profile++;
    if (profile == PROFILE_COUNT) return XR_ERROR_PATH_UNSUPPORTED;
    for (uint32_t k = 0; k < info->countSuggestedBindings; k++) {
        const char *path = text_of(info->suggestedBindings[k].binding);
        REQUIRE(info->suggestedBindings[k].action, ACTION);
        struct action *action = &actions[INDEX_OF(info->suggestedBindings[k].action)];
        int hand = hand_of(path);
        if (hand < 0) return XR_ERROR_PATH_UNSUPPORTED;
        const char *rest = path + (hand ? 16 : 15);
        size_t c = 0;
        for (; c < COUNT(COMPONENTS); c++) {
            const struct component *one = &COMPONENTS[c];
            if (one->profile && one->profile != profile) continue;
            if (!strcmp(one->path, one->path[1] == 'u' ? path : rest)) break;
        }
        if (c == COUNT(COMPONENTS)) return XR_ERROR_PATH_UNSUPPORTED;
        if (!fits(action->type, COMPONENTS[c].type)) return XR_ERROR_ACTION_TYPE_MISMATCH;
        action->bound[profile][hand] = COMPONENTS[c].source;
    }
    return XR_SUCCESS;
}

CALL attach_action_sets(XrSession session, const XrSessionActionSetsAttachInfo *info) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(info, XR_TYPE_SESSION_ACTION_SETS_ATTACH_INFO);
    if (attached) return XR_ERROR_ACTIONSETS_ALREADY_ATTACHED;
    attached = 1;
    return XR_SUCCESS;
}

CALL get_current_profile(XrSession session, XrPath hand, XrInteractionProfileState *found) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(found, XR_TYPE_INTERACTION_PROFILE_STATE);
    if (!attached) return XR_ERROR_ACTIONSET_NOT_ATTACHED;
    if (hand_of(text_of(hand)) < 0) return XR_ERROR_PATH_UNSUPPORTED;
    int known = now.profile && now.profile < PROFILE_COUNT;
    found->interactionProfile = known ? path_of(PROFILES[now.profile]) : XR_NULL_PATH;
    return XR_SUCCESS;
}

CALL sync_actions(XrSession session, const XrActionsSyncInfo *info) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(info, XR_TYPE_ACTIONS_SYNC_INFO);
    if (!attached) return XR_ERROR_ACTIONSET_NOT_ATTACHED;
    shared->syncs++;
    return state == XR_SESSION_STATE_FOCUSED ? XR_SUCCESS : XR_SESSION_NOT_FOCUSED;
}

/* What an action reads: where it is bound, on which hand; NONE where it is inactive. */
static XrResult read_action(XrSession session, const XrActionStateGetInfo *info, XrActionType type, enum source *from,
                            const struct hand **hand) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(info, XR_TYPE_ACTION_STATE_GET_INFO);
    REQUIRE(info->action, ACTION);
    if (!attached) return XR_ERROR_ACTIONSET_NOT_ATTACHED;
    int action = INDEX_OF(info->action), side = hand_of(text_of(info->subactionPath));
    if (actions[action].type != type) return XR_ERROR_ACTION_TYPE_MISMATCH;
    if (side < 0) return XR_ERROR_PATH_UNSUPPORTED;
    *hand = &now.hands[side];
    *from = has_hand(side) ? bound(action, side) : NONE;
    return XR_SUCCESS;
}

#define READ(wanted, structure)                                       \
    enum source from;                                                 \
    const struct hand *hand;                                          \
    REQUIRE_TYPE(found, structure);                                   \
    XrResult result = read_action(session, info, wanted, &from, &hand); \
    if (result != XR_SUCCESS) return result;                          \
    found->isActive = from != NONE

CALL get_boolean(XrSession session, const XrActionStateGetInfo *info, XrActionStateBoolean *found) {
    READ(XR_ACTION_TYPE_BOOLEAN_INPUT, XR_TYPE_ACTION_STATE_BOOLEAN);
    found->currentState = from == LOWER         ? hand->lower
                          : from == UPPER       ? hand->upper
                          : from == STICK_CLICK ? hand->stick_click
                                                : XR_FALSE;
    found->changedSinceLastSync = XR_FALSE;
    found->lastChangeTime = 0;
    return XR_SUCCESS;
}

CALL get_float(XrSession session, const XrActionStateGetInfo *info, XrActionStateFloat *found) {
    READ(XR_ACTION_TYPE_FLOAT_INPUT, XR_TYPE_ACTION_STATE_FLOAT);
    found->currentState = from == TRIGGER ? hand->trigger : from == SQUEEZE ? hand->squeeze : 0;
    found->changedSinceLastSync = XR_FALSE;
    found->lastChangeTime = 0;
    return XR_SUCCESS;
}

CALL get_vector(XrSession session, const XrActionStateGetInfo *info, XrActionStateVector2f *found) {
    READ(XR_ACTION_TYPE_VECTOR2F_INPUT, XR_TYPE_ACTION_STATE_VECTOR2F);
    found->currentState = from == STICK ? (XrVector2f){hand->stick[0], hand->stick[1]} : (XrVector2f){0, 0};
    found->changedSinceLastSync = XR_FALSE;
    found->lastChangeTime = 0;
    return XR_SUCCESS;
}

CALL get_pose(XrSession session, const XrActionStateGetInfo *info, XrActionStatePose *found) {
    READ(XR_ACTION_TYPE_POSE_INPUT, XR_TYPE_ACTION_STATE_POSE);
    return XR_SUCCESS;
}

CALL apply_haptic(XrSession session, const XrHapticActionInfo *info, const XrHapticBaseHeader *base) {
    REQUIRE_SESSION(session);
    REQUIRE_TYPE(info, XR_TYPE_HAPTIC_ACTION_INFO);
    REQUIRE_TYPE(base, XR_TYPE_HAPTIC_VIBRATION);
    REQUIRE(info->action, ACTION);
    if (actions[INDEX_OF(info->action)].type != XR_ACTION_TYPE_VIBRATION_OUTPUT) return XR_ERROR_ACTION_TYPE_MISMATCH;
    if (state != XR_SESSION_STATE_FOCUSED) return XR_SESSION_NOT_FOCUSED;
    int hand = hand_of(text_of(info->subactionPath));
    if (hand < 0) return XR_ERROR_PATH_UNSUPPORTED;
    const XrHapticVibration *vibration = (const XrHapticVibration *)base;
    shared->strength[hand] = vibration->amplitude;
    shared->nanoseconds[hand] = vibration->duration;
    shared->pulses[hand]++;
    return XR_SUCCESS;
}

CALL timespec_to_time(XrInstance instance, const struct timespec *stamp, XrTime *found) {
    REQUIRE(instance, INSTANCE);
    *found = (XrTime)stamp->tv_sec * 1000000000 + stamp->tv_nsec;
    return XR_SUCCESS;
}

/* ---- The way in. ---- */

CALL get_instance_proc_addr(XrInstance instance, const char *name, PFN_xrVoidFunction *found) {
    static const struct { const char *name; void *function; } KNOWN[] = {
        {"xrGetInstanceProcAddr", get_instance_proc_addr},
        {"xrEnumerateInstanceExtensionProperties", enumerate_extensions},
        {"xrCreateInstance", create_instance},
        {"xrDestroyInstance", destroy_instance},
        {"xrGetInstanceProperties", get_instance_properties},
        {"xrPollEvent", poll_event},
        {"xrGetSystem", get_system},
        {"xrStringToPath", string_to_path},
        {"xrPathToString", path_to_string},
        {"xrCreateSession", create_session},
        {"xrDestroySession", destroy_session},
        {"xrBeginSession", begin_session},
        {"xrEndSession", end_session},
        {"xrRequestExitSession", request_exit_session},
        {"xrEnumerateReferenceSpaces", enumerate_reference_spaces},
        {"xrCreateReferenceSpace", create_reference_space},
        {"xrCreateActionSpace", create_action_space},
        {"xrDestroySpace", destroy_space},
        {"xrLocateSpace", locate_space},
        {"xrCreateActionSet", create_action_set},
        {"xrCreateAction", create_action},
        {"xrSuggestInteractionProfileBindings", suggest_bindings},
        {"xrAttachSessionActionSets", attach_action_sets},
        {"xrGetCurrentInteractionProfile", get_current_profile},
        {"xrSyncActions", sync_actions},
        {"xrGetActionStateBoolean", get_boolean},
        {"xrGetActionStateFloat", get_float},
        {"xrGetActionStateVector2f", get_vector},
        {"xrGetActionStatePose", get_pose},
        {"xrApplyHapticFeedback", apply_haptic},
        {"xrConvertTimespecTimeToTimeKHR", timespec_to_time},
    };
    (void)instance;
    *found = NULL;
    for (size_t k = 0; k < COUNT(KNOWN); k++) {
        if (strcmp(KNOWN[k].name, name)) continue;
        if (KNOWN[k].function == (void *)timespec_to_time && !timespec_on) break;
        *found = (PFN_xrVoidFunction)KNOWN[k].function;
        return XR_SUCCESS;
    }
    return XR_ERROR_FUNCTION_UNSUPPORTED;
}

__attribute__((visibility("default"))) XRAPI_ATTR XrResult XRAPI_CALL xrNegotiateLoaderRuntimeInterface(
    const LoaderInfo *loader, RuntimeRequest *request) {
    if (!loader || !request || loader->structType != 1 || request->structType != 3) return XR_ERROR_INITIALIZATION_FAILED;
    if (loader->minInterfaceVersion > 1 || loader->maxInterfaceVersion < 1) return XR_ERROR_INITIALIZATION_FAILED;
    request->runtimeInterfaceVersion = 1;
    request->runtimeApiVersion = XR_MAKE_VERSION(1, 0, 34);
    request->getInstanceProcAddr = get_instance_proc_addr;
    return XR_SUCCESS;
}
