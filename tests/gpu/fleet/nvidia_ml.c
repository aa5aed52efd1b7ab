/* A stand-in for NVIDIA's libnvidia-ml.so.1, at its C interface. What it answers stands in the file that FAKE_NVML names,
 * as lines `name=number`; it is read anew by each call, so a test changes a GPU while it is watched.
 *
 * OLDER leaves out the names that CUDA 13 brought; NEWER answers those that CUDA 14 removes with "deprecated".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024ULL * 1024ULL)
enum { OK = 0, NOT_SUPPORTED = 3, TOO_SMALL = 7, NO_DRIVER = 9, LOST = 15, DEPRECATED = 26, UNKNOWN = 999 };

static long long told(const char *name, long long otherwise) {
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[128];
    size_t length = strlen(name);
    long long value = otherwise;
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, length) && line[length] == '=')
            value = atoll(line + length + 1);
    if (file)
        fclose(file);
    return value;
}

static long index_of(void *handle) { return (long)(intptr_t)handle - 1; }

static int reached(void *handle) {
    while (told("hangs", -1) == index_of(handle))
        sleep(1);
    return told("lost", -1) == index_of(handle) ? LOST : OK;
}

#define REACH(handle) do { int answer = reached(handle); if (answer) return answer; } while (0)

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    return told("driver", 1) ? OK : NO_DRIVER;
}
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) {
    (void)code;
    return "An error";
}
int nvmlSystemGetDriverVersion(char *version, unsigned size) {
    snprintf(version, size, "580.95.05");
    return OK;
}
int nvmlSystemGetProcessName(unsigned pid, char *name, unsigned size) {
    snprintf(name, size, "/opt/models/bin/engine-%u", pid);
    return told("nameless", 0) ? UNKNOWN : OK;
}
int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = (unsigned)told("gpus", 1);
    return OK;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    *handle = (void *)(intptr_t)(index + 1);
    return told("lost", -1) == index ? LOST : OK;
}
int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned size) {
    REACH(handle);
    snprintf(uuid, size, "GPU-00000000-0000-0000-0000-%012ld", index_of(handle));
    return OK;
}
int nvmlDeviceGetName(void *handle, char *name, unsigned size) {
    REACH(handle);
    snprintf(name, size, "NVIDIA H100 80GB HBM3");
    return OK;
}
struct pci { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; };
int nvmlDeviceGetPciInfo_v3(void *handle, struct pci *pci) {
    REACH(handle);
    memset(pci, 0, sizeof *pci);
    snprintf(pci->bus_id, sizeof pci->bus_id, "00000000:%02lX:1C.0", 16 + index_of(handle));
    return OK;
}

#ifndef OLDER
struct temperature { unsigned version, sensor; int celsius; };
int nvmlDeviceGetTemperatureV(void *handle, struct temperature *temperature) {
    REACH(handle);
    temperature->celsius = (int)told("temperature", 40);
    return OK;
}
int nvmlDeviceGetCurrentClocksEventReasons(void *handle, unsigned long long *mask) {
    REACH(handle);
    *mask = (unsigned long long)told("clocks", 0);
    return OK;
}
#endif
int nvmlDeviceGetTemperature(void *handle, unsigned sensor, unsigned *celsius) {
    (void)sensor;
#ifdef NEWER
    return DEPRECATED;
#endif
    REACH(handle);
    *celsius = (unsigned)told("old_temperature", 41);
    return OK;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void *handle, unsigned long long *mask) {
#ifdef NEWER
    return DEPRECATED;
#endif
    REACH(handle);
    *mask = (unsigned long long)told("old_clocks", 1);
    return OK;
}

int nvmlDeviceGetPowerUsage(void *handle, unsigned *milliwatts) {
    REACH(handle);
    *milliwatts = (unsigned)told("milliwatts", 68250);
    return told("power", 1) ? OK : NOT_SUPPORTED;
}
struct rates { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(void *handle, struct rates *rates) {
    REACH(handle);
    rates->gpu = (unsigned)told("utilization", 0);
    rates->memory = 0;
    return OK;
}
struct memory { unsigned long long total, free, used; };
int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory) {
    REACH(handle);
    memory->total = 81559 * MIB;
    memory->used = (unsigned long long)told("used_mib", 512) * MIB;
    memory->free = memory->total - memory->used;
    return OK;
}
int nvmlDeviceGetTotalEccErrors(void *handle, unsigned type, unsigned counter, unsigned long long *count) {
    REACH(handle);
    /* Uncorrected and aggregate, as asked; anything else would be another number. */
    *count = type == 1 && counter == 1 ? (unsigned long long)told("ecc", 0) : 999;
    return told("ecc", 0) < 0 ? NOT_SUPPORTED : OK;
}
struct value { uint32_t field, scope; int64_t at, latency; unsigned type; int answer; union { double d; unsigned u; unsigned long long l; } value; };
int nvmlDeviceGetFieldValues(void *handle, int count, struct value *values) {
    REACH(handle);
    for (int each = 0; each < count; each++) {
        long long number = values[each].field == 230 ? told("recovery", -1)
                         : values[each].field == 186 ? told("instant", -1) : -1;
        values[each].answer = told("fieldless", 0) ? UNKNOWN : number < 0 ? NOT_SUPPORTED : OK;
        values[each].value.u = (unsigned)number;
    }
    return OK;
}
struct process { unsigned pid; unsigned long long used; unsigned instance, compute; };
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, struct process *processes) {
    unsigned there = (unsigned)told("processes", 0);
    REACH(handle);
    if (!there || !processes) {
        *count = there;
        return there ? TOO_SMALL : OK;
    }
    for (unsigned each = 0; each < there; each++) {
        memset(&processes[each], 0, sizeof processes[each]);
        processes[each].pid = 4000 + each;
        /* What the driver says where a container hides it. */
        processes[each].used = each ? ~0ULL : 2048 * MIB;
    }
    *count = there;
    return OK;
}
