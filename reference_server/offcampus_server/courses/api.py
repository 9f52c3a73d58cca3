"""Operations of courses, classes and lessons."""

from __future__ import annotations

from offcampus_server.courses import schedule, service
from offcampus_server.courses.tables import classes, courses, lessons
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work

handlers = Handlers()


@handlers("createCourse")
def create_course(call: Call, work: Work) -> Answer:
    """File a course (M-07.4, M-11.4)."""
    return service.file(call, work)


@handlers("listCourses")
def list_courses(call: Call, work: Work) -> Answer:
    """Courses."""
    return resources.page(call, work, courses, service.present)


@handlers("getCourse")
def get_course(call: Call, work: Work) -> Answer:
    """One course."""
    return resources.read(call, work, courses, call.path["course_id"], service.present)


@handlers("updateCourse")
def update_course(call: Call, work: Work) -> Answer:
    """Change a course before it is on sale."""
    return service.change(call, work)


@handlers("approveCourse")
def approve_course(call: Call, work: Work) -> Answer:
    """Approve a course."""
    return service.approve(call, work)


@handlers("returnCourse")
def return_course(call: Call, work: Work) -> Answer:
    """Return a course for correction."""
    return service.send_back(call, work)


@handlers("createClass")
def create_class(call: Call, work: Work) -> Answer:
    """Open a class."""
    return service.open_class(call, work)


@handlers("listClasses")
def list_classes(call: Call, work: Work) -> Answer:
    """Classes."""
    return resources.page(call, work, classes, resources.presented)


@handlers("getClass")
def get_class(call: Call, work: Work) -> Answer:
    """One class."""
    return resources.read(call, work, classes, call.path["class_id"], resources.presented)


@handlers("scheduleLessons")
def schedule_lessons(call: Call, work: Work) -> Answer:
    """Schedule lessons in a batch."""
    return schedule.schedule(call, work)


@handlers("listLessons")
def list_lessons(call: Call, work: Work) -> Answer:
    """Lessons."""
    return resources.page(call, work, lessons, service.present_lesson)


@handlers("getLesson")
def get_lesson(call: Call, work: Work) -> Answer:
    """One lesson."""
    return resources.read(call, work, lessons, call.path["lesson_id"], service.present_lesson)


@handlers("cancelLesson")
def cancel_lesson(call: Call, work: Work) -> Answer:
    """Cancel a lesson."""
    return service.cancel_lesson(call, work)
